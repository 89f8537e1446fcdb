/** A decode worker whose decoder dies or hangs with some contents, as a broken codec would. */
import { setTimeout as delay } from 'node:timers/promises';
import { createDecoder } from '../../../src/container/data/decodeImage';
import { serveDecoding } from '../../../src/container/data/decodeService';

serveDecoding((wasmDir) => {
  const decode = createDecoder(wasmDir);
  return async (bytes) => {
    switch (Buffer.from(bytes).toString('latin1')) {
      case 'exit':
        return process.exit(1);
      case 'throw':
        setImmediate(() => {
          throw new Error('a trap');
        });
        await delay(60_000);
        break;
      case 'spin':
        for (;;);
      case 'wait':
        await delay(60_000);
    }
    return decode(bytes);
  };
});
