/** Exchanges statistics among the replicas of a model that train on parts of one batch. All call it in the same order. */
export interface ReplicaGroup {
  /** Examples of the whole batch for each example of this replica's part. */
  readonly share: number;
  /**
   * Publishes this replica's values and gives all replicas', equally long and in the same order everywhere. They are
   * valid until the next call but one.
   */
  gather(values: Float32Array): readonly Float32Array[];
}

/** Where an engine finds the group that its model belongs to while it trains; none where it trains alone. */
export interface ReplicaSeat {
  group: ReplicaGroup | undefined;
}
