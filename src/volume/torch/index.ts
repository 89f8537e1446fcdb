export type { TorchStateDict } from './readStateDict';
export { withTorchStateDict } from './readStateDict';
export { TorchFileError } from './torchError';
