/** Entry of a worker thread that decodes images. */
import { createDecoder } from './decodeImage';
import { serveDecoding } from './decodeService';

serveDecoding(createDecoder);
