import type { ReplicaGroup } from '../engines/replicas';
import type { Barrier } from './barrier';
import type { SharedState } from './layout';

/** The replicas that train on parts of one batch: the workers 0 to `parties` - 1. */
export class SharedReplicaGroup implements ReplicaGroup {
  /** Two sets in turn: while some still read one, others may already write the next. */
  private set = 0;

  constructor(
    private readonly state: SharedState,
    private readonly barrier: Barrier,
    private readonly members: { readonly worker: number; readonly parties: number },
    readonly share: number,
  ) {}

  gather(values: Float32Array): readonly Float32Array[] {
    const { state, set } = this;
    const { worker, parties } = this.members;
    this.set = 1 - set;
    state.statistics(worker, set, values.length).set(values);
    this.barrier.wait(parties);
    return Array.from({ length: parties }, (_, other) => state.statistics(other, set, values.length));
  }
}
