import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fromTsProtoServiceDefinition } from 'nice-grpc/lib/service-definitions/ts-proto';
import type { MethodDefinition, ServiceDefinition } from 'nice-grpc/lib/service-definitions';

const NAMES = ['ModalClientDefinition', 'TaskCommandRouterDefinition'] as const;

export interface Definitions {
  control: ServiceDefinition;
  router: ServiceDefinition;
}

/**
 * The services of Modal's server as the SDK knows them. It does not export them: a copy of it is made that does, in a
 * folder that git ignores, for whatever version is installed.
 */
export async function modalDefinitions(): Promise<Definitions> {
  const entry = createRequire(join(process.cwd(), 'package.json'))
    .resolve('modal')
    .replace(/\.cjs$/, '.js');
  const source = await readFile(entry, 'utf8');
  for (const name of NAMES) {
    if (!source.includes(`var ${name} = {`)) {
      throw new Error(`the SDK of Modal has no ${name} any more: the double has to follow it`);
    }
  }
  const copy = join('node_modules', '.cache', 'tiny-cats', 'modal-definitions.mjs');
  await mkdir(dirname(copy), { recursive: true });
  await writeFile(copy, `${source}\nexport { ${NAMES.join(', ')} };\n`);
  const loaded: unknown = await import(pathToFileURL(join(process.cwd(), copy)).href);
  const [control, router] = NAMES.map((name) => definitionIn(loaded, name));
  if (control === undefined || router === undefined) {
    throw new Error('the definitions of the services could not be read');
  }
  return { control, router };
}

export type Unary = MethodDefinition<unknown, unknown, unknown, unknown, false, false>;
export type Streaming = MethodDefinition<unknown, unknown, unknown, unknown, false, true>;

export function isUnary(method: MethodDefinition<unknown, unknown, unknown, unknown>): method is Unary {
  return !method.requestStream && !method.responseStream;
}

export function isStreaming(
  method: MethodDefinition<unknown, unknown, unknown, unknown>,
): method is Streaming {
  return !method.requestStream && method.responseStream;
}

function definitionIn(loaded: unknown, name: string): ServiceDefinition | undefined {
  const found: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, name) : undefined;
  return isTsProto(found) ? fromTsProtoServiceDefinition(found) : undefined;
}

function isTsProto(value: unknown): value is Parameters<typeof fromTsProtoServiceDefinition>[0] {
  return typeof value === 'object' && value !== null && 'fullName' in value && 'methods' in value;
}
