/** A decode worker that cannot start, as where threads or memory are short. */
throw new Error('no room for a thread');
