import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse } from '../../protocol/schema';
import type { AskUser } from '../openTarget';
import { quote } from './shell';

/** Environment variable that names the socket to the one who asks. */
export const ASK_VARIABLE = 'TINY_CATS_ASK';

/** What ssh wants to know: the helper's line to the socket. */
export const questionSchema = v.object({ prompt: v.string(), kind: v.picklist(['secret', 'confirm']) });
/** The answer; null where the user did not give one. */
export const answerSchema = v.object({ text: v.nullable(v.string()) });

/** How ssh asks its user: by the terminal that it has, or by a helper that asks this process. */
export type Asking = { kind: 'terminal' } | { kind: 'askpass'; env: NodeJS.ProcessEnv };

/** Answers the helper that ssh asks by, over a socket that only this user reaches. */
export class Askpass {
  private constructor(
    private readonly dir: string,
    private readonly server: Server,
    readonly asking: Asking,
  ) {}

  /** @param bundleDir folder of askpass.js */
  static async open(bundleDir: string, user: AskUser): Promise<Askpass> {
    const dir = await mkdtemp('/tmp/tiny-cats-ask-');
    const socket = join(dir, 's');
    const server = createServer((client) => void answer(client, user).catch(() => client.destroy()));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
    const program = join(dir, 'askpass');
    const helper = join(bundleDir, 'askpass.js');
    await writeFile(program, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(helper)} "$@"\n`, {
      mode: 0o700,
    });
    return new Askpass(dir, server, {
      kind: 'askpass',
      env: {
        SSH_ASKPASS: program,
        SSH_ASKPASS_REQUIRE: 'force',
        // Older versions of ssh ask by a helper only where there is a display.
        DISPLAY: process.env.DISPLAY ?? ':0',
        ELECTRON_RUN_AS_NODE: '1',
        [ASK_VARIABLE]: socket,
      },
    });
  }

  async close(): Promise<void> {
    this.server.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function answer(client: Socket, user: AskUser): Promise<void> {
  let line = '';
  // The answer goes back by the same socket: reading must not end it.
  for await (const piece of client.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    line += String(piece);
    if (line.includes('\n')) {
      break;
    }
  }
  const { prompt, kind } = parse(questionSchema, JSON.parse(line), 'question of ssh');
  let text: string | null;
  if (kind === 'confirm') {
    const said = await user.confirm(prompt);
    text = said === undefined ? null : said ? 'yes' : 'no';
  } else {
    text = (await user.secret(prompt)) ?? null;
  }
  client.end(`${JSON.stringify({ text })}\n`);
}
