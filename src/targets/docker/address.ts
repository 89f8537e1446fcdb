import { isAbsolute } from 'node:path';

/** Where an engine's API is reached. */
export type EngineAddress =
  /** A unix socket, or a named pipe of Windows. */
  | { via: 'socket'; path: string }
  /** `tls`: folder of ca.pem, cert.pem and key.pem. */
  | { via: 'tcp'; host: string; port: number; tls?: string }
  /** Over the system's OpenSSH, as the docker command does. */
  | { via: 'ssh'; destination: string; port?: number };

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/**
 * Reads an address as DOCKER_HOST, a Docker context or the setting names it.
 * @param tls folder of the certificates, where there are any
 * @throws Error saying what can be understood
 */
export function parseAddress(text: string, tls?: string): EngineAddress {
  const pipe = /^npipe:\/\/(.+)$/.exec(text)?.[1];
  if (pipe !== undefined) {
    return { via: 'socket', path: pipe };
  }
  const socket = /^(?:unix|http\+unix):\/\/(\/.+)$/.exec(text)?.[1];
  if (socket !== undefined || isAbsolute(text) || text.startsWith('//./pipe/')) {
    return { via: 'socket', path: socket ?? text };
  }
  const url = new URL(URL.canParse(text) ? text : 'none:');
  const port = url.port === '' ? undefined : Number(url.port);
  switch (url.protocol) {
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const usesTls = tls !== undefined || url.protocol === 'https:';
      return {
        via: 'tcp',
        host: url.hostname,
        port: port ?? (usesTls ? TLS_PORT : PLAIN_PORT),
        ...(tls === undefined ? {} : { tls }),
      };
    }
    case 'ssh:': {
      const user = url.username === '' ? '' : `${decodeURIComponent(url.username)}@`;
      return {
        via: 'ssh',
        destination: `${user}${url.hostname}`,
        ...(port === undefined ? {} : { port }),
      };
    }
    default:
      throw new Error(
        `"${text}" is no address of a container engine: expected the path of a socket, or unix://, npipe://, tcp:// or ssh://`,
      );
  }
}

/** The address in words for the user. */
export function describeAddress(address: EngineAddress): string {
  switch (address.via) {
    case 'socket':
      return address.path;
    case 'tcp':
      return `tcp://${address.host}:${address.port}`;
    case 'ssh':
      return `ssh://${address.destination}${address.port === undefined ? '' : `:${address.port}`}`;
  }
}
