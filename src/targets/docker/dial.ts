import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AgentOptions, ClientRequestArgs } from 'node:http';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { EngineAddress } from './address';

/** What Node's http and dockerode's modem need to reach an engine. */
export interface Dialling {
  socketPath?: string;
  host?: string;
  port?: number;
  protocol: 'http' | 'https';
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  agent?: Agent;
}

/** @throws Error if the certificates cannot be read */
export function dialling(address: EngineAddress): Dialling {
  switch (address.via) {
    case 'socket':
      return { socketPath: address.path, protocol: 'http' };
    case 'tcp': {
      const { host, port, tls } = address;
      if (tls === undefined) {
        return { host, port, protocol: 'http' };
      }
      const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(join(tls, name)));
      return { host, port, protocol: 'https', ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    }
    case 'ssh':
      return { host: 'localhost', port: 80, protocol: 'http', agent: new SshAgent(address) };
  }
}

/** Makes each connection by the system's OpenSSH, with the user's config and keys, through `docker system dial-stdio`. */
class SshAgent extends Agent {
  constructor(
    private readonly address: Extract<EngineAddress, { via: 'ssh' }>,
    options: AgentOptions = { keepAlive: true, maxFreeSockets: 1 },
  ) {
    super(options);
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const { destination, port } = this.address;
    const child = spawn(
      'ssh',
      [
        ...['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15'],
        ...(port === undefined ? [] : ['-p', String(port)]),
        ...['--', destination, 'docker', 'system', 'dial-stdio'],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2000);
    });
    const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
    child.once('error', (error) => stream.destroy(error));
    child.once('exit', (code) => {
      if (code !== 0) {
        stream.destroy(
          new Error(`ssh ${destination}: ${words.trim() || `it ended with code ${String(code)}`}`),
        );
      }
    });
    stream.once('close', () => child.kill());
    // Nothing is known of the way yet; a failure ends the stream.
    done?.(null, stream);
    return stream;
  }
}
