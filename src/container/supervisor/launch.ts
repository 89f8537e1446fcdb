import { join } from 'node:path';
import type { EngineChoice } from '../../protocol/container';
import type { Program } from '../../protocol/program';
import { chooseInterpreter, hasNvidiaGpu, seesCuda } from '../../python/interpreter';

/** How a trainer process is started. */
export interface Launch {
  /** With the interpreter that was found. */
  program: Program;
  command: string;
  args: string[];
  /** It and what it starts are ended as one. */
  isGroup: boolean;
  /** It runs the user's own code: what makes it crash would do so again. */
  isUsers: boolean;
}

/** Whether the recipes of PyTorch may be what trains. */
export function mayBeTorch(program: Program, engine: EngineChoice): boolean {
  const isPreferred = engine === 'auto' && program.kind === 'recipes' && program.interpreter !== undefined;
  return program.kind === 'torch' || (isPreferred && hasNvidiaGpu());
}

/** @param bundleDir folder of trainer.js and of the folder python */
export async function launchOf(program: Program, engine: EngineChoice, bundleDir: string): Promise<Launch> {
  switch (program.kind) {
    case 'recipes': {
      const interpreter = chooseInterpreter(program.interpreter ?? '', undefined);
      return mayBeTorch(program, engine) && (await seesCuda(interpreter))
        ? python({ kind: 'torch', interpreter }, bundleDir)
        : node(program, bundleDir);
    }
    case 'torch':
      return python(
        { ...program, interpreter: chooseInterpreter(program.interpreter, undefined) },
        bundleDir,
      );
    case 'python':
      return python(
        { ...program, interpreter: chooseInterpreter(program.interpreter, program.folder) },
        bundleDir,
      );
    case 'typescript':
      return node(program, bundleDir);
  }
}

function node(program: Program, bundleDir: string): Launch {
  return {
    program,
    command: process.execPath,
    args: [join(bundleDir, 'trainer.js')],
    isGroup: false,
    isUsers: program.kind === 'typescript',
  };
}

function python(program: Extract<Program, { kind: 'torch' | 'python' }>, bundleDir: string): Launch {
  return {
    program,
    command: program.interpreter,
    args: ['-u', join(bundleDir, 'python', 'tinycats_trainer.py')],
    isGroup: process.platform !== 'win32',
    isUsers: program.kind === 'python',
  };
}
