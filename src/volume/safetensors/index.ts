export type { Dtype, SafetensorsHeader, TensorInfo } from './format';
export { elementCount, SafetensorsError } from './format';
export type { Tensor } from './read';
export { readHeader, readTensors } from './read';
export { summarizeSafetensors } from './summary';
export type { TensorData } from './write';
export { writeSafetensors } from './write';
