/**
 * `npm run bench`: what a user waits for and how fast training is, measured on this machine, PyTorch side by side where
 * there is one. Build first. See `--help`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { workerCount } from '../src/container/parallel/workerCount';
import { measurePython } from './python';
import { toMarkdown, type Report } from './report';
import { measureSsh } from './ssh';
import { measureStartup } from './startup';
import { subjects } from './tasks';
import { findTorch } from './torchSide';
import { measureTraining } from './training';

const USAGE = `npm run bench -- [options]
  --only NAMES     of startup, python, ssh, ${subjects.map(({ name }) => name).join(', ')}; all by default
  --threads LIST   for training; 1 and the machine's own number by default
  --rounds N       5 by default
  --no-torch       measure only what is ours
  --json           print JSON in place of Markdown; out/bench gets both`;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    torch: { type: 'boolean', default: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const listOf = (text: string): string[] => text.split(',').filter((part) => part !== '');

const progress = (text: string): void => console.error(text);

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const only = listOf(values.only);
  const rounds = Number(values.rounds);
  const torch = values.torch ? findTorch() : undefined;
  const models = subjects.map(({ name }) => name).filter((name) => only.length === 0 || only.includes(name));
  const startup =
    only.length === 0 || only.includes('startup')
      ? await measureStartup(rounds, torch, workerCount(0))
      : undefined;
  const threads = listOf(values.threads).map(Number);
  const training =
    models.length > 0 ? await measureTraining({ rounds, torch, only: models, threads, progress }) : [];
  const python =
    torch !== undefined && (only.length === 0 || only.includes('python'))
      ? await measurePython(rounds, torch)
      : undefined;
  const ssh = only.length === 0 || only.includes('ssh') ? await measureSsh(rounds, progress) : undefined;
  const report: Report = {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    torch: torch?.description ?? null,
    rounds,
    ...(startup === undefined ? {} : { startup }),
    ...(python === undefined ? {} : { python }),
    ...(ssh === undefined ? {} : { ssh }),
    training,
  };
  const json = JSON.stringify(report);
  const markdown = toMarkdown(report);
  const dir = resolve('out', 'bench');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'bench.json'), json);
  await writeFile(join(dir, 'bench.md'), `${markdown}\n`);
  console.log(values.json ? json : markdown);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
