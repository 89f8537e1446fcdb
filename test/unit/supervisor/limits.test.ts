import assert from 'node:assert/strict';
import { readMessage } from '../../../src/container/supervisor/message';
import { retryDelayMs } from '../../../src/container/supervisor/retryPolicy';
import { TokenBucket } from '../../../src/container/supervisor/tokenBucket';
import { MAX_MESSAGE_DEPTH, DEFAULT_POLICY } from '../../../src/protocol/rpc';

describe('delay of a retry', () => {
  it('grows with each retry, up to a maximum', () => {
    const delays = [1, 2, 3, 4, 5, 1000].map((retry) => retryDelayMs(DEFAULT_POLICY.retries, retry));
    assert.deepEqual(delays, [10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });
});

describe('allowance of a client', () => {
  it('is a burst, then so many in a second, and never more than the burst', () => {
    let now = 0;
    const bucket = new TokenBucket(10, 2, () => now);
    assert.equal(bucket.take(10), true);
    assert.equal(bucket.take(1), false);
    now = 500;
    assert.equal(bucket.take(1), true);
    assert.equal(bucket.take(1), false);
    now = 1e9;
    assert.equal(bucket.take(11), false);
    assert.equal(bucket.take(10), true);
  });
});

describe('message of a client', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  it('is read if it is JSON', () => {
    assert.deepEqual(readMessage('{"a":[1,"}"]}'), { a: [1, '}'] });
    for (const text of ['', '{', 'NaN', '"\\"', '[1,]']) {
      assert.equal(readMessage(text), undefined, text);
    }
  });

  it('is not read if it is nested too deep, whatever is in its strings', () => {
    assert.notEqual(readMessage(nested(MAX_MESSAGE_DEPTH)), undefined);
    assert.equal(readMessage(nested(MAX_MESSAGE_DEPTH + 1)), undefined);
    assert.equal(readMessage(nested(1_000_000)), undefined);
    const braces = JSON.stringify([nested(1000), `"\\${nested(1000)}\\\\`, '\\']);
    assert.deepEqual(readMessage(braces), JSON.parse(braces));
    assert.equal(readMessage(`["\\\\",${nested(MAX_MESSAGE_DEPTH)}]`), undefined);
  });
});
