import type * as vscode from 'vscode';
import * as v from 'valibot';
import { chooseInterpreter, venvInterpreter } from '../../python/interpreter';
import { resolveFolder } from '../settings';

const PYTHON_EXTENSION = 'ms-python.python';

/** As much of the Python extension's API as is used here. */
const pythonApiSchema = v.object({
  environments: v.object({
    getActiveEnvironmentPath: v.pipe(
      v.function(),
      v.transform((call) => (): unknown => call()),
    ),
  }),
});

/**
 * The interpreter that runs the user's code: the setting's, else that of the folder's `.venv`, else the Python
 * extension's choice, else the one on the PATH.
 */
export function workspaceInterpreter(
  vs: { extensions: Pick<typeof vscode.extensions, 'getExtension'> },
  setting: string,
  folder: string,
): string {
  if (setting !== '') {
    // A bare name is looked for on the PATH.
    return /[/\\~]/.test(setting) ? resolveFolder(folder, setting) : setting;
  }
  return venvInterpreter(folder) ?? chosenInterpreter(vs) ?? chooseInterpreter('', undefined);
}

/** What the Python extension has chosen, if it is there and has been started. */
function chosenInterpreter(vs: {
  extensions: Pick<typeof vscode.extensions, 'getExtension'>;
}): string | undefined {
  const extension = vs.extensions.getExtension<unknown>(PYTHON_EXTENSION);
  const api = v.safeParse(pythonApiSchema, extension?.isActive === true ? extension.exports : undefined);
  if (!api.success) {
    return undefined;
  }
  const found = v.safeParse(
    v.object({ path: v.pipe(v.string(), v.nonEmpty()) }),
    api.output.environments.getActiveEnvironmentPath(),
  );
  return found.success ? found.output.path : undefined;
}
