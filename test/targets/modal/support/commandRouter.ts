import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerError, Status } from 'nice-grpc';
import * as v from 'valibot';
import type { Handlers } from './modalDouble';
import type { ExecDouble, SandboxDouble } from './sandboxDouble';

const execStart = v.object({ taskId: v.string(), execId: v.string(), commandArgs: v.array(v.string()) });
const byExec = v.object({ taskId: v.string(), execId: v.string() });
const stdinWrite = v.object({
  ...byExec.entries,
  data: v.instance(Uint8Array),
  eof: v.optional(v.boolean(), false),
});
const stdioRead = v.object({ ...byExec.entries, offset: v.unknown(), fileDescriptor: v.number() });
const POLL_MS = 5;
const KILLED = 9;

/** The part of Modal's server that runs programs in a sandbox, as the double has it. */
export function commandRouter(find: (taskId: string) => SandboxDouble | undefined): Handlers {
  const execOf = (request: unknown): ExecDouble => {
    const { taskId, execId } = v.parse(byExec, request);
    const exec = find(taskId)?.execs.get(execId);
    if (exec === undefined) {
      throw new ServerError(Status.NOT_FOUND, `no exec ${execId}`);
    }
    return exec;
  };
  return {
    unary: {
      taskExecStart: (request) => {
        const { taskId, execId, commandArgs } = v.parse(execStart, request);
        const sandbox = find(taskId);
        if (sandbox?.exitCode !== undefined || sandbox === undefined) {
          throw new ServerError(Status.NOT_FOUND, `the sandbox of ${taskId} has ended`);
        }
        sandbox.exec(execId, commandArgs);
        return Promise.resolve({});
      },
      taskExecStdinWrite: async (request) => {
        const { data, eof } = v.parse(stdinWrite, request);
        const { stdin } = execOf(request).process;
        if (data.length > 0 && stdin?.write(data) === false) {
          await once(stdin, 'drain');
        }
        if (eof) {
          stdin?.end();
        }
        return {};
      },
      taskExecWait: async (request) => {
        const exec = execOf(request);
        while (!exec.closed) {
          await delay(POLL_MS);
        }
        const { exitCode } = exec.process;
        return exitCode === null ? { signal: KILLED } : { code: exitCode };
      },
      taskExecPoll: (request) => {
        const { exitCode } = execOf(request).process;
        return Promise.resolve(exitCode === null ? {} : { code: exitCode });
      },
    },
    streaming: {
      async *taskExecStdioRead(request) {
        const exec = execOf(request);
        const { fileDescriptor } = v.parse(stdioRead, request);
        const list = exec.out[fileDescriptor === 0 ? 0 : 1];
        for (let next = 0; ;) {
          const isLast = exec.closed;
          for (; next < list.length; next += 1) {
            yield { data: list[next] };
          }
          if (isLast) {
            return;
          }
          await delay(POLL_MS);
        }
      },
    },
  };
}
