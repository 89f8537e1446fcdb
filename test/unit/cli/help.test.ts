import assert from 'node:assert/strict';
import { COMMANDS } from '../../../src/cli/commands';
import { commandHelp, generalHelp } from '../../../src/cli/help';
import { displayWidth } from '../../../src/cli/text';
import { CLASSIFIER } from '../../../src/protocol/recipes';

describe('help', () => {
  it('lists every command', () => {
    const help = generalHelp(COMMANDS, 80);
    for (const { name, summary } of COMMANDS) {
      assert.ok(help.includes(name) && help.includes(summary), name);
    }
  });

  it('of train is made from the parameters and their defaults', () => {
    const train = COMMANDS.find(({ name }) => name === 'train');
    assert.ok(train);
    const help = commandHelp(train, 80);
    for (const { name, type } of CLASSIFIER.parameters) {
      const written = name.replaceAll('_', '-');
      const negatable = type === 'boolean' || type === 'weights';
      assert.ok(help.includes(negatable ? `--[no-]${written}` : `--${written} `), name);
    }
    assert.match(help, /--epochs N +Passes over the data \(default 10\)/);
    assert.match(help, /--\[no-\]pretrained \[FILE\][\s\S]+?\(default on\)/);
    assert.match(help, /--outputs-dir DIR[^-]+TINY_CATS_OUTPUTS/);
    assert.match(help, /Ctrl\+C/);
  });

  it('of a command without parameters does not show them', () => {
    const cool = COMMANDS.find(({ name }) => name === 'cool');
    assert.ok(cool);
    assert.doesNotMatch(commandHelp(cool, 80), /--epochs/);
  });

  it('keeps to the width of the terminal', () => {
    for (const command of COMMANDS) {
      for (const line of commandHelp(command, 72).split('\n')) {
        assert.ok(displayWidth(line) <= 72, line);
      }
    }
  });
});
