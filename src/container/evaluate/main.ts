/** Entry of the bundle that the command line loads for what needs the engines. */
export { evaluate } from './evaluate';
export { drawCheckpoint } from '../recipes/dit/drawCheckpoint';
export { inspectMachine } from '../engines/machine';
