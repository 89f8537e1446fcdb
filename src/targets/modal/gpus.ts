/** Kinds of GPU by Modal's names; `none` is a container without one. */
export const GPUS = ['none', 'T4', 'L4', 'A10G', 'A100', 'H100'] as const;
export type Gpu = (typeof GPUS)[number];
