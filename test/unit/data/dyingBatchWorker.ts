/** A batch worker that ends when it is given its second batch. */
import { parentPort } from 'node:worker_threads';
import { serveBatches } from '../../../src/container/data/batchService';

let given = 0;
parentPort?.on('message', () => {
  given += 1;
  if (given === 2) process.exit(3);
});
serveBatches();
