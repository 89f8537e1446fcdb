import { join } from 'node:path';
import type { ParameterValues } from '../../protocol/parameters';
import { REMOTE_PREFIX, SENT_FOLDER, SENT_PREFIX, isSentPath } from '../../protocol/transfer';

/**
 * The parameters with paths of this machine: of what a client sent, and of what it named by `remote:`.
 * @param sent paths below the folder of what was sent, by parameter
 */
export function pathsHere(
  params: ParameterValues,
  sent: Readonly<Record<string, string>>,
  dataDir: string,
): ParameterValues {
  const here = { ...params };
  for (const [name, value] of Object.entries(here)) {
    const given = Object.hasOwn(sent, name) ? `${SENT_PREFIX}${sent[name] ?? ''}` : value;
    if (typeof given !== 'string') {
      continue;
    }
    if (given.startsWith(REMOTE_PREFIX)) {
      here[name] = given.slice(REMOTE_PREFIX.length);
    } else if (given.startsWith(SENT_PREFIX) && isSentPath(given.slice(SENT_PREFIX.length))) {
      here[name] = join(dataDir, SENT_FOLDER, given.slice(SENT_PREFIX.length));
    }
  }
  return here;
}
