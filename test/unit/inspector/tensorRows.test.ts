import assert from 'node:assert/strict';
import type { Row } from '../../../webview/inspector/tensorRows';
import { dtypeCounts, filterRows, sortRows, toRows, toTsv } from '../../../webview/inspector/tensorRows';

describe('rows of the tensor table', () => {
  const rows = toRows([
    { name: 'layer.10.weight', dtype: 'F32', shape: [64, 3], bytes: 768 },
    { name: 'layer.2.weight', dtype: 'F16', shape: [64, 3], bytes: 384 },
    { name: 'layer.2.bias', dtype: 'F32', shape: [], bytes: 4 },
  ]);
  const names = (list: readonly Row[]) => list.map(({ name }) => name);

  it('are found by words of name, dtype or shape', () => {
    assert.deepEqual(names(filterRows(rows, '')), names(rows));
    assert.deepEqual(names(filterRows(rows, ' LAYER.2  f16 ')), ['layer.2.weight']);
    assert.deepEqual(names(filterRows(rows, '[64, 3]')), ['layer.10.weight', 'layer.2.weight']);
    assert.deepEqual(names(filterRows(rows, '.*')), []);
  });

  it('are sorted by number inside names, by size and by element count, and go back to the order of the file', () => {
    const sorted = (column: 'name' | 'dtype' | 'shape' | 'bytes', descending = false) =>
      names(sortRows(rows, { column, descending }));
    assert.deepEqual(sorted('name'), ['layer.2.bias', 'layer.2.weight', 'layer.10.weight']);
    assert.deepEqual(sorted('bytes', true), ['layer.10.weight', 'layer.2.weight', 'layer.2.bias']);
    assert.deepEqual(sorted('shape'), ['layer.2.bias', 'layer.10.weight', 'layer.2.weight']);
    assert.deepEqual(sorted('dtype'), ['layer.2.weight', 'layer.10.weight', 'layer.2.bias']);
    assert.deepEqual(names(sortRows(rows, null)), names(rows));
  });

  it('are copied as a table that survives tabs and quotes in names', () => {
    const odd = toRows([{ name: 'a\t"b"', dtype: 'U8', shape: [1], bytes: 1 }]);
    assert.equal(
      toTsv([...rows.slice(2), ...odd]),
      'name\tdtype\tshape\tparameters\tbytes\nlayer.2.bias\tF32\t[]\t1\t4\n"a\t""b"""\tU8\t[1]\t1\t1\n',
    );
  });

  it('are counted by dtype', () => {
    assert.equal(dtypeCounts(rows), 'F32 × 2, F16 × 1');
    assert.equal(dtypeCounts(rows.slice(2)), 'F32');
    assert.equal(dtypeCounts([]), '');
  });
});
