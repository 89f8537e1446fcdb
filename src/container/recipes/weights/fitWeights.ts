import { RunFailure } from '../recipe';

export type Shapes = ReadonlyMap<string, readonly number[]>;

export interface Fit {
  /** To be taken from the file. */
  readonly names: readonly string[];
  /** Of the head, which stays as it is because the file's is for other classes, or the file has none. */
  readonly fresh: readonly string[];
  /** Counters that the file lacks. */
  readonly missingCounters: readonly string[];
}

const COUNTER = '.num_batches_tracked';
const NAMED = 4;

/**
 * What of a file's tensors goes into a network: all, but for a head of another shape.
 * @param what the parameter and the file, for the error message
 * @param head what names of the last layer begin with
 * @throws RunFailure naming the first tensors that are missing, unknown or of another shape
 */
export function fitWeights(what: string, network: Shapes, file: Shapes, head: string): Fit {
  const isHead = (name: string) => name.startsWith(head);
  const sameShape = (name: string) => file.get(name)?.join() === network.get(name)?.join();
  const inNetwork = [...network.keys()];
  const headFits = inNetwork.filter(isHead).every(sameShape);
  const missing = inNetwork.filter((name) => !file.has(name) && !isHead(name) && !name.endsWith(COUNTER));
  const unknown = [...file.keys()].filter((name) => !network.has(name) && !isHead(name));
  const different = inNetwork.filter((name) => file.has(name) && !isHead(name) && !sameShape(name));
  const problems = [
    describe('it lacks', missing),
    describe('the network has no', unknown),
    describe(
      'other shapes have',
      different.map((name) => `${name} (${shapeText(file.get(name))}, not ${shapeText(network.get(name))})`),
    ),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new RunFailure('weights', `${what} does not fit the backbone: ${problems.join('; ')}`);
  }
  return {
    names: inNetwork.filter((name) => file.has(name) && (headFits || !isHead(name))),
    fresh: headFits ? [] : inNetwork.filter(isHead),
    missingCounters: inNetwork.filter((name) => name.endsWith(COUNTER) && !file.has(name)),
  };
}

function describe(what: string, names: readonly string[]): string | undefined {
  if (names.length === 0) {
    return undefined;
  }
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${what} ${names.slice(0, NAMED).join(', ')}${more}`;
}

function shapeText(shape: readonly number[] | undefined): string {
  return `[${shape?.join(', ') ?? ''}]`;
}
