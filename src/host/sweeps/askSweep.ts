import type * as vscode from 'vscode';
import type { ParameterSpec, ParameterValue, RecipeSpec } from '../../protocol/parameters';
import { ParameterError } from '../../protocol/parameters';
import type { SweepAxis } from '../../protocol/sweep';
import { MAX_JOBS, MAX_TRIALS } from '../../protocol/sweep';
import { listable, parseValues } from '../../sweep/axes';

type Window = Pick<typeof vscode.window, 'showInputBox' | 'showQuickPick'>;

const DEFAULT_JOBS = 2;

/**
 * Asks what a sweep varies, over which values, and on how many containers.
 * @returns undefined if the user did not say
 */
export async function askSweep(
  window: Window,
  recipe: RecipeSpec,
  present: Record<string, ParameterValue>,
): Promise<{ axes: SweepAxis[]; jobs: number } | undefined> {
  const picked = await window.showQuickPick(
    listable(recipe).map((spec) => ({
      label: spec.name,
      description: String(present[spec.name] ?? spec.default),
      detail: spec.description,
      spec,
    })),
    {
      title: `Sweep: what to vary of “${recipe.title}”`,
      placeHolder: 'Choose the parameters that get several values',
      canPickMany: true,
      matchOnDetail: true,
    },
  );
  if (picked === undefined || picked.length === 0) {
    return undefined;
  }
  const axes: SweepAxis[] = [];
  for (const [index, { spec }] of picked.entries()) {
    const text = await window.showInputBox({
      title: `Sweep: values of ${spec.name} (${index + 1} of ${picked.length})`,
      prompt: spec.description,
      placeHolder: exampleOf(spec),
      value: spec.type === 'boolean' ? 'true, false' : `${String(present[spec.name] ?? spec.default)}, `,
      ignoreFocusOut: true,
      validateInput: (given) => problemOf(spec, given),
    });
    if (text === undefined) {
      return undefined;
    }
    axes.push({ name: spec.name, values: parseValues(spec, text) });
  }
  const total = axes.reduce((product, { values }) => product * values.length, 1);
  const jobs = await window.showInputBox({
    title: `Sweep: ${total} trainings`,
    prompt: 'How many containers at a time?',
    value: String(Math.min(DEFAULT_JOBS, total)),
    ignoreFocusOut: true,
    validateInput: (given) =>
      total > MAX_TRIALS
        ? `${total} trainings are too many: at most ${MAX_TRIALS}`
        : /^[1-9]\d?$/.test(given) && Number(given) <= MAX_JOBS
          ? undefined
          : `A whole number, 1 to ${MAX_JOBS}`,
  });
  return jobs === undefined ? undefined : { axes, jobs: Number(jobs) };
}

function problemOf(spec: ParameterSpec, given: string): string | undefined {
  try {
    return parseValues(spec, given).length > 1 ? undefined : 'At least two values, with a comma between them';
  } catch (error) {
    if (error instanceof ParameterError) {
      return error.message;
    }
    throw error;
  }
}

function exampleOf(spec: ParameterSpec): string {
  return spec.type === 'choice' ? spec.choices.slice(0, 2).join(', ') : '1e-3, 3e-4';
}
