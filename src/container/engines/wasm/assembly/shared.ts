// Kernels that work on the memory that data-parallel workers share: a module of its own, since a module sees one memory.
export { adam } from './adam';
export { sumOfSquares } from './reductions';
export { movingAverage, sumReplicas } from './replicas';
