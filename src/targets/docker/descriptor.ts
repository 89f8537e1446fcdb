import { get } from 'node:http';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import type { Endpoint } from '../target';
import type { Engine } from './engine';
import { readInside } from './insideFiles';
import { INSIDE } from './layout';
import type { Present } from './presence';
import { relayInto } from './relay';

const descriptorSchema = v.object({ containerId: v.string(), token: v.string() });
const HEALTH_TIMEOUT_MS = 1000;

/**
 * How the running container is reached; undefined while it does not listen yet. Its token is read out of it: it stands in
 * no environment, argument or label.
 */
export async function endpointOf(engine: Engine, present: Present): Promise<Endpoint | undefined> {
  const text = await readInside(engine, present.id, `${INSIDE.container}/container.json`);
  if (text === undefined) {
    return undefined;
  }
  const { containerId, token } = parse(descriptorSchema, JSON.parse(text), 'descriptor of the container');
  if (!engine.isHere) {
    const connect = (): ReturnType<typeof relayInto> => relayInto(engine, present.id, INSIDE.port);
    return { containerId, token, url: 'ws://localhost/', connect };
  }
  const { hostPort } = present;
  return hostPort === undefined ? undefined : { containerId, token, url: `ws://127.0.0.1:${hostPort}/` };
}

/**
 * Whether something speaks HTTP behind the published port. An engine's proxy takes connections before the container
 * does, and keeps them without a word: each try has a time limit of its own.
 */
export async function isHealthy(endpoint: Endpoint): Promise<boolean> {
  if (endpoint.connect !== undefined) {
    return true;
  }
  return new Promise((resolve) => {
    const request = get(endpoint.url.replace(/^ws:/, 'http:'), { agent: false }, (answer) => {
      answer.resume();
      resolve(true);
    });
    request.setTimeout(HEALTH_TIMEOUT_MS, () => request.destroy());
    request.once('close', () => resolve(false)).once('error', () => resolve(false));
  });
}
