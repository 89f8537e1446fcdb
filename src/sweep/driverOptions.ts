import * as v from 'valibot';

/** Environment variable in which a sweep's driver finds its options, as JSON. It holds no secret. */
export const DRIVER_OPTIONS_VARIABLE = 'TINY_CATS_SWEEP';

/** Name of the lock in a sweep's folder that its one driver holds. */
export const DRIVER_LOCK = 'driver.lock';

export const driverOptionsSchema = v.object({
  sweepId: v.string(),
  /** Folder of container.js. */
  bundleDir: v.string(),
  outputsDir: v.string(),
  dataDir: v.string(),
});
export type DriverOptions = v.InferOutput<typeof driverOptionsSchema>;

/** The first message to a driver, over its channel: what belongs in no file, environment or argument. */
export const driverSecretsSchema = v.object({
  modal: v.nullable(v.object({ tokenId: v.string(), tokenSecret: v.string() })),
});
export type DriverSecrets = v.InferOutput<typeof driverSecretsSchema>;
