import type { SafetensorsHeader } from '../../volume/safetensors';
import { elementCount, readHeader } from '../../volume/safetensors';
import { checkpointPath } from '../checkpointPath';
import type { Command } from '../command';
import { ExitCode, UsageError } from '../errors';
import { bytesText, countText, factLines, tableLines } from '../format';
import { jsonLine, plain } from '../text';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Show what is in a checkpoint, or in the best one of a run',
  details: [
    'Reads the header of the .safetensors file alone, so that its size does not matter. One of a run on another ' +
      'machine is fetched first, and kept.',
  ],
  positional: { name: 'CHECKPOINT|RUN_ID', required: true },
  options: [],
  run: async (context, { settings, positional }) => {
    if (positional === undefined) {
      throw new UsageError('"inspect" needs a checkpoint or the id of a run.');
    }
    const path = await checkpointPath(context, settings, positional);
    const header = await readHeader(path);
    const lines = settings.json ? [jsonLine({ path, ...header })] : headerLines(path, header);
    for (const line of lines) {
      context.terminal.line(line);
    }
    return ExitCode.done;
  },
};

/** A checkpoint's metadata and its table of tensors. */
export function headerLines(path: string, { metadata, tensors, dataBytes }: SafetensorsHeader): string[] {
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return [
    plain(path),
    `${countText(tensors.length, 'tensor')}, ${countText(parameters, 'parameter')}, ${bytesText(dataBytes)}`,
    '',
    ...factLines(Object.entries(metadata).map(([key, value]) => [plain(key), plain(value)] as const)),
    '',
    ...tableLines(
      [{ title: 'NAME' }, { title: 'DTYPE' }, { title: 'SHAPE' }, { title: 'BYTES', align: 'right' }],
      tensors.map(({ name, dtype, shape, bytes }) => [
        plain(name),
        dtype,
        `[${shape.join(', ')}]`,
        String(bytes),
      ]),
    ),
  ];
}
