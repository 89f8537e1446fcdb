import assert from 'node:assert/strict';
import type { Field } from '../../../webview/inspector/metadata';
import { describeMetadata } from '../../../webview/inspector/metadata';

function valueOf(fields: readonly Field[], key: string): Field['value'] | undefined {
  return fields.find((field) => field.key === key)?.value;
}

describe('metadata in the inspector', () => {
  it('reads what the trainer writes', () => {
    const { known, other } = describeMetadata([
      ['format', 'tiny-cats'],
      ['epoch', '7'],
      ['epochs', '10'],
      ['val_acc', '0.9140625'],
      ['classes', '["cat","other"]'],
      ['preprocessing', '{"image_size":64,"mean":[0.5,0.4]}'],
      ['params', '{"batch_size":32}'],
    ]);
    assert.deepEqual(other, []);
    assert.equal(known[0]?.key, 'val_acc', 'the accuracy comes first');
    assert.deepEqual(valueOf(known, 'val_acc'), { kind: 'text', text: '91.4%', raw: '0.9140625' });
    assert.deepEqual(valueOf(known, 'epoch'), { kind: 'text', text: '7 of 10', raw: null });
    assert.deepEqual(valueOf(known, 'classes'), { kind: 'chips', items: ['cat', 'other'] });
    assert.deepEqual(valueOf(known, 'preprocessing'), {
      kind: 'pairs',
      pairs: [
        { key: 'image_size', label: 'Image size', text: '64' },
        { key: 'mean', label: 'Mean', text: '0.5, 0.4' },
      ],
    });
    assert.deepEqual(valueOf(known, 'params'), {
      kind: 'pairs',
      pairs: [{ key: 'batch_size', label: 'batch_size', text: '32' }],
    });
  });

  it('shows a known entry as it is when its value is of another kind', () => {
    const entries = [
      ['val_acc', 'NaN'],
      ['classes', 'cat'],
      ['preprocessing', '[1]'],
      ['params', 'null'],
      ['created_at', 'yesterday'],
    ] as const;
    const { known } = describeMetadata(entries);
    for (const [key, text] of entries) {
      assert.deepEqual(valueOf(known, key), { kind: 'text', text, raw: null });
    }
    assert.deepEqual(valueOf(describeMetadata([['val_acc', '']]).known, 'val_acc'), {
      kind: 'text',
      text: '',
      raw: null,
    });
    assert.deepEqual(valueOf(describeMetadata([['val_acc', '91.4']]).known, 'val_acc'), {
      kind: 'text',
      text: '91.4',
      raw: null,
    });
  });

  it('lays out JSON of unknown keys and leaves other text alone', () => {
    const { known, other } = describeMetadata([
      ['__proto__', 'x'],
      ['constructor', '{"a":[1]}'],
      ['epochs', '10'],
      ['html', '<b>not bold</b>'],
      ['format', 'pt'],
    ]);
    assert.deepEqual(known, []);
    assert.deepEqual(
      other.map(({ key, value }) => [
        key,
        value.kind,
        value.kind === 'json' || value.kind === 'text' ? value.text : '',
      ]),
      [
        ['__proto__', 'text', 'x'],
        ['constructor', 'json', '{\n  "a": [\n    1\n  ]\n}'],
        ['epochs', 'text', '10'],
        ['html', 'text', '<b>not bold</b>'],
        ['format', 'text', 'pt'],
      ],
    );
  });
});
