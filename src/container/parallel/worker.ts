/** Entry of a worker thread. */
import { findTask } from '../recipes/tasks';
import { serveLearners } from './workerThread';

void serveLearners(findTask);
