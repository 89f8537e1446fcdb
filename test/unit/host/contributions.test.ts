import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { COMMANDS, CONTEXT_KEYS, ITEM_WORDS, SETTINGS, VIEWS } from '../../../src/host/contributions';
import { inspectorViewType } from '../../../src/host/inspect/register';
import { engineChoiceSchema } from '../../../src/protocol/container';

const clause = v.optional(v.string());
const menuItem = v.object({ command: v.string(), when: clause });
const manifestSchema = v.object({
  activationEvents: v.array(v.string()),
  extensionKind: v.array(v.string()),
  capabilities: v.object({
    untrustedWorkspaces: v.object({ supported: v.string(), restrictedConfigurations: v.array(v.string()) }),
    virtualWorkspaces: v.object({ supported: v.boolean() }),
  }),
  contributes: v.object({
    commands: v.array(v.object({ command: v.string(), category: v.string(), enablement: clause })),
    configuration: v.object({
      properties: v.record(
        v.string(),
        v.looseObject({ default: v.unknown(), enum: v.optional(v.array(v.string())) }),
      ),
    }),
    viewsContainers: v.object({ activitybar: v.array(v.object({ id: v.string(), icon: v.string() })) }),
    views: v.record(v.string(), v.array(v.object({ id: v.string() }))),
    viewsWelcome: v.array(v.object({ view: v.string(), contents: v.string(), when: clause })),
    menus: v.record(v.string(), v.array(menuItem)),
    customEditors: v.array(v.object({ viewType: v.string() })),
  }),
});
const text = readFileSync('package.json', 'utf8');
const manifest = v.parse(manifestSchema, JSON.parse(text));
const strings = v.parse(
  v.record(v.string(), v.string()),
  JSON.parse(readFileSync('package.nls.json', 'utf8')),
);
const { contributes } = manifest;
const ids = Object.values(COMMANDS).map(({ id }) => id);

describe('package.json and the code', () => {
  it('name the same commands, all of one category', () => {
    assert.deepEqual(contributes.commands.map(({ command }) => command).sort(), [...ids].sort());
    assert.deepEqual(new Set(contributes.commands.map(({ category }) => category)), new Set(['%category%']));
  });

  it('hide the same commands from the palette', () => {
    const hidden = contributes.menus['commandPalette']?.filter(({ when }) => when === 'false');
    const expected = Object.values(COMMANDS).filter(({ palette }) => !palette);
    assert.deepEqual(hidden?.map(({ command }) => command).sort(), expected.map(({ id }) => id).sort());
  });

  it('name only known commands in menus', () => {
    for (const { command } of Object.values(contributes.menus).flat()) {
      assert.ok(
        ids.some((id) => id === command),
        command,
      );
    }
  });

  it('have the same settings, defaults and restrictions', () => {
    const { properties } = contributes.configuration;
    const defaults = Object.entries(properties).map(([name, value]) => [name, value.default]);
    assert.deepEqual(
      Object.fromEntries(defaults),
      Object.fromEntries(
        Object.entries(SETTINGS).map(([name, setting]) => [`tinyCats.${name}`, setting.default]),
      ),
    );
    const restricted = Object.entries(SETTINGS).filter(([, setting]) => setting.restricted);
    assert.deepEqual(
      [...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort(),
      restricted.map(([name]) => `tinyCats.${name}`).sort(),
    );
    assert.deepEqual(properties['tinyCats.engine']?.enum, engineChoiceSchema.options);
  });

  it('use only known context keys and item words', () => {
    const clauses = [
      ...contributes.commands.map(({ enablement }) => enablement),
      ...Object.values(contributes.menus)
        .flat()
        .map(({ when }) => when),
      ...contributes.viewsWelcome.map(({ when }) => when),
    ].filter((when) => when !== undefined);
    const known = new Set<string>([...Object.values(CONTEXT_KEYS), VIEWS.history]);
    for (const key of clauses.flatMap((when) => when.match(/tinyCats\.\w+/g) ?? [])) {
      assert.ok(known.has(key), `unknown context key ${key}`);
    }
    for (const key of Object.values(CONTEXT_KEYS)) {
      assert.ok(
        clauses.some((when) => when.includes(key)),
        `${key} is never used`,
      );
    }
    const words = clauses.flatMap(
      (when) =>
        /viewItem (?:==|=~) \/?([^/&]+)/
          .exec(when)?.[1]
          ?.replaceAll('\\b', ' ')
          .match(/[a-z]{3,}/g) ?? [],
    );
    const knownWords = new Set<string>([...Object.values(ITEM_WORDS), 'un']);
    assert.deepEqual(
      words.filter((word) => !knownWords.has(word)),
      [],
    );
  });

  it('have the same views and editors', () => {
    assert.deepEqual(
      contributes.viewsContainers.activitybar.map(({ id }) => id),
      [VIEWS.container],
    );
    assert.deepEqual(
      contributes.views[VIEWS.container]?.map(({ id }) => id),
      [VIEWS.history],
    );
    assert.deepEqual(
      contributes.customEditors.map(({ viewType }) => viewType),
      [VIEWS.checkpointEditor],
    );
    assert.equal(inspectorViewType, VIEWS.checkpointEditor);
    assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${VIEWS.panel}`));
    assert.ok(!manifest.activationEvents.includes('*'));
  });

  it('say every text in package.nls.json, and no other', () => {
    const used = [...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
    assert.deepEqual([...new Set(used)].sort(), Object.keys(strings).sort());
  });

  it('link only to commands that exist', () => {
    for (const [, command = ''] of Object.values(strings)
      .join('\n')
      .matchAll(/\(command:([\w.]+)/g)) {
      assert.ok(command.startsWith('workbench.') || ids.some((id) => id === command), command);
    }
  });

  it('run beside the files, limited in workspaces that are not trusted', () => {
    assert.deepEqual(manifest.extensionKind, ['workspace']);
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
    assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
  });
});
