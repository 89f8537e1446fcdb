/** Entry of a worker thread that also knows the tasks made for measuring. */
import { serveLearners } from '../src/container/parallel/workerThread';
import { findTask } from './tasks';

void serveLearners(findTask);
