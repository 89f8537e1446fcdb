import type { NumericDtype } from '../floatValues';
import { bytesOf } from '../floatValues';
import type { Handlers, PickleGlobal } from './pickle';
import { PickleTuple } from './pickle';

/** Where a tensor's values lie. */
export interface TorchStorage {
  /** Name of its entry under `data/`. */
  readonly key: string;
  /** Undefined for types that are no plain numbers. */
  readonly dtype: NumericDtype | undefined;
  readonly elements: number;
}

/** A tensor, or a view into one, as the pickle describes it. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    /** In elements. */
    readonly offset: number,
    readonly shape: readonly number[],
    /** In elements. */
    readonly strides: readonly number[],
  ) {}
}

const storages: ReadonlyMap<string, NumericDtype | undefined> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
  ['torch.ComplexFloatStorage', undefined],
  ['torch.ComplexDoubleStorage', undefined],
]);

/** All that a pickle may call, and what comes of it. */
const functions: ReadonlyMap<string, (args: readonly unknown[]) => unknown> = new Map([
  ['collections.OrderedDict', () => new Map<unknown, unknown>()],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  // A parameter is its tensor, with what training needs.
  ['torch._utils._rebuild_parameter', ([data]: readonly unknown[]) => data],
  ['torch.Size', ([sizes]: readonly unknown[]) => sizes],
  ['torch.device', ([device]: readonly unknown[]) => device],
]);

/** Takes tensors and containers, refuses everything else by name. */
export const torchHandlers: Handlers = {
  global: (name) => {
    if (!storages.has(name) && !functions.has(name)) {
      throw new Error(refusal(name));
    }
  },
  call: ({ name }: PickleGlobal, args) => {
    const made = functions.get(name);
    if (made === undefined) {
      throw new Error(`the pickle calls ${name}, which is no function`);
    }
    return made(args);
  },
  persistent: (id) => {
    const [kind, storage, key, , elements] = id instanceof PickleTuple ? id.items : [];
    if (kind !== 'storage' || !isGlobal(storage) || typeof key !== 'string' || !isCount(elements)) {
      throw new Error('the pickle refers to something else than a storage of tensors');
    }
    return { key, dtype: storages.get(storage.name), elements } satisfies TorchStorage;
  },
};

function refusal(name: string): string {
  return /^(torch\.nn|torchvision|timm)\./.test(name)
    ? `it holds a whole model (${name}), which only Python can rebuild. Save its weights alone: ` +
        'torch.save(model.state_dict(), "weights.pt"), or as .safetensors.'
    : `it asks for ${name}, which is no part of a file of weights. Nothing of it was run. Do not load it in Python ` +
        'if you do not trust where it comes from; otherwise save the state_dict alone.';
}

function isGlobal(value: unknown): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function counts(value: unknown): number[] {
  if (value instanceof PickleTuple && value.items.every(isCount)) {
    return value.items.filter(isCount);
  }
  throw new Error('a tensor has a shape or strides that are no numbers');
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === 'object' && value !== null && 'key' in value && 'elements' in value;
}

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks)` */
function rebuildTensor([storage, offset, size, stride]: readonly unknown[]): TorchTensor {
  if (!isStorage(storage) || !isCount(offset)) {
    throw new Error('a tensor has no storage');
  }
  const shape = counts(size);
  const strides = counts(stride);
  if (shape.length !== strides.length) {
    throw new Error('a tensor has not as many strides as dimensions');
  }
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * (strides[axis] ?? 0), offset);
  if (!shape.includes(0) && last >= storage.elements) {
    throw new Error('a tensor reaches beyond its storage: the file is damaged');
  }
  return new TorchTensor(storage, offset, shape, strides);
}

/** Bytes that a storage's entry has to have; 0 where they cannot be read anyway. */
export function storageBytes({ dtype, elements }: TorchStorage): number {
  return dtype === undefined ? 0 : elements * bytesOf(dtype);
}
