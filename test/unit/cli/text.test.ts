import assert from 'node:assert/strict';
import { displayWidth, jsonLine, pad, plain, plainLines, wrap } from '../../../src/cli/text';

describe('text for the terminal', () => {
  it('strips what could steer the terminal from data', () => {
    assert.equal(plain('cat\u001b[2J\u001b]0;title\u0007\u009b31m\r\nname\u007f'), 'cat name');
    assert.equal(plain('abc\u202egnp.exe'), 'abcgnp.exe');
    assert.equal(plain('tab\there'), 'tab here');
  });

  it('keeps letters of any script, and line breaks where asked for', () => {
    assert.equal(plain('Größe "kätzchen" 猫 🐈'), 'Größe "kätzchen" 猫 🐈');
    assert.equal(plainLines('first\u001b[31m\r\nsecond\u0008'), 'first\nsecond');
  });

  it('escapes control characters in JSON without changing the value', () => {
    const value = { name: 'a\u009bb\u007f\u001b\u202e猫' };
    const line = jsonLine(value);
    assert.deepEqual(JSON.parse(line), value);
    assert.match(line, /^[^\p{Cc}\u202e]*$/u);
  });

  it('measures wide, combined and coloured characters as a terminal shows them', () => {
    assert.equal(displayWidth('猫ねこ'), 6);
    assert.equal(displayWidth('e\u0301'), 1);
    assert.equal(displayWidth('🐈'), 2);
    assert.equal(displayWidth('\u001b[1mbold\u001b[0m'), 4);
    assert.equal(pad('猫', 4, 'right'), '  猫');
  });

  it('breaks paragraphs at spaces', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('unbreakable x', 5), ['unbreakable', 'x']);
  });
});
