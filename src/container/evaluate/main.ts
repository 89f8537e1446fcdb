/** Entry of the bundle that the command line loads when it evaluates or draws: it brings the engines along. */
export { evaluate } from './evaluate';
export { drawCheckpoint } from '../recipes/dit/drawCheckpoint';
