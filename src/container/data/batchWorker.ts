/** Entry of a worker thread that makes images into batches. */
import { serveBatches } from './batchService';

serveBatches();
