import * as v from 'valibot';
import { runEventSchema } from '../../src/protocol/events';
import type { HostToPanel } from '../../src/protocol/panel';
import { recipeSpecSchema } from '../../src/protocol/parameters';

const someObject = v.looseObject({});
const someList = v.array(v.unknown());
const containerSchema = v.looseObject({ state: v.string(), link: v.string(), enterPhases: someList });

const sweepSchema = v.nullable(v.looseObject({ sweepId: v.string(), axes: someList, trials: someList }));

/** The shape of the host's messages, as far down as a wrong one could break the page. */
const hostMessageSchema = v.variant('type', [
  v.object({
    type: v.literal('snapshot'),
    recipes: v.pipe(v.array(v.object({ spec: recipeSpecSchema, params: someObject })), v.minLength(1)),
    recipe: v.string(),
    run: v.nullable(
      v.looseObject({
        runId: v.string(),
        state: v.string(),
        phases: someList,
        epochs: someList,
        losses: someList,
        metrics: someList,
        samples: someList,
        checkpoints: someList,
        log: someList,
        lastSeq: v.number(),
      }),
    ),
    chosen: v.nullable(v.string()),
    coldStart: v.nullable(v.looseObject({ runId: v.string(), phases: someList })),
    container: containerSchema,
    mayTrain: v.boolean(),
    sweep: sweepSchema,
  }),
  v.object({ type: v.literal('events'), events: v.array(runEventSchema) }),
  v.object({ type: v.literal('container'), container: containerSchema }),
  v.object({ type: v.literal('sweep'), sweep: sweepSchema }),
  v.object({ type: v.literal('parameter'), name: v.string(), value: v.string() }),
  v.object({
    type: v.literal('sample'),
    runId: v.string(),
    file: v.string(),
    dataUrl: v.nullable(v.pipe(v.string(), v.startsWith('data:image/png;base64,'))),
  }),
  v.object({
    type: v.literal('problems'),
    problems: v.array(v.object({ name: v.string(), message: v.string() })),
  }),
]);

/** Tells a message of the host from anything else that reaches the page. */
export function isHostMessage(data: unknown): data is HostToPanel {
  return v.is(hostMessageSchema, data);
}
