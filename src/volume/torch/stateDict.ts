import { TorchTensor } from './globals';

/** Keys under which checkpoints keep their weights, in the order of preference. */
const NESTED_KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights'];

/** What wrappers (DataParallel, torch.compile) put before every name. */
const WRAPPERS = ['module.', '_orig_mod.'];

/** The tensors of a state dict, or of the one in a checkpoint, by their names without wrappers; undefined if there are none. */
export function findStateDict(root: unknown): Map<string, TorchTensor> | undefined {
  if (!(root instanceof Map)) {
    return undefined;
  }
  for (const key of NESTED_KEYS) {
    const nested: unknown = root.get(key);
    const tensors = nested instanceof Map ? tensorsOf(nested) : undefined;
    if (tensors !== undefined) {
      return tensors;
    }
  }
  return tensorsOf(root);
}

function tensorsOf(map: ReadonlyMap<unknown, unknown>): Map<string, TorchTensor> | undefined {
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of map) {
    if (typeof name === 'string' && value instanceof TorchTensor) {
      tensors.set(name, value);
    }
  }
  return tensors.size === 0 ? undefined : withoutWrappers(tensors);
}

function withoutWrappers(tensors: Map<string, TorchTensor>): Map<string, TorchTensor> {
  const wrapper = WRAPPERS.find((prefix) => [...tensors.keys()].every((name) => name.startsWith(prefix)));
  return wrapper === undefined
    ? tensors
    : withoutWrappers(new Map([...tensors].map(([name, tensor]) => [name.slice(wrapper.length), tensor])));
}
