import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import * as v from 'valibot';
import type { ModalCredentials } from './credentials';

/** A profile of Modal's own configuration, `~/.modal.toml`, as it may be shown. */
export interface ModalProfile {
  name: string;
  /** The one that is used where none is named. */
  isActive: boolean;
  /** Whether it has a token. */
  hasCredentials: boolean;
}

interface StoredProfile {
  name: string;
  isActive: boolean;
  environment: string | undefined;
  credentials: ModalCredentials | undefined;
}

const profileSchema = v.object({
  token_id: v.optional(v.string()),
  token_secret: v.optional(v.string()),
  active: v.optional(v.boolean(), false),
  environment: v.optional(v.string()),
});

/** The profiles in the order of the file, without their secrets. Empty where there is no configuration. */
export function modalProfiles(env: NodeJS.ProcessEnv = process.env): ModalProfile[] {
  return readProfiles(env).map(({ name, isActive, credentials }) => ({
    name,
    isActive,
    hasCredentials: credentials !== undefined,
  }));
}

/** The same with their secrets. @throws Error if the file is there and cannot be read as TOML */
export function readProfiles(env: NodeJS.ProcessEnv): StoredProfile[] {
  const { MODAL_CONFIG_PATH: chosen = '' } = env;
  const path = chosen === '' ? join(homedir(), '.modal.toml') : chosen;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
  return Object.entries(parse(path, text)).flatMap(([name, value]) => {
    const profile = v.safeParse(profileSchema, value);
    if (!profile.success) {
      return [];
    }
    const { token_id: tokenId, token_secret: tokenSecret, active, environment } = profile.output;
    const credentials = tokenId && tokenSecret ? { tokenId, tokenSecret } : undefined;
    return [{ name, isActive: active, environment, credentials }];
  });
}

function parse(path: string, text: string): Record<string, unknown> {
  try {
    return parseToml(text);
  } catch {
    // What the parser says quotes the file, which holds secrets.
    throw new Error(`${path} is no TOML that can be read: correct it, or run: modal token new`);
  }
}
