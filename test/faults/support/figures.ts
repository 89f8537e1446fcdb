import { appendFileSync } from 'node:fs';

/** What a suite has measured: printed as one table when all tests are done; the test command does so for all suites. */
const figures: [name: string, value: string][] = [];

export function figure(name: string, value: string | number): void {
  figures.push([name, String(value)]);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

after(() => {
  const file = process.env.TINY_CATS_FIGURES;
  if (file !== undefined) {
    appendFileSync(file, figures.map((one) => `${JSON.stringify(one)}\n`).join(''));
    return;
  }
  const width = Math.max(0, ...figures.map(([name]) => name.length)) + 2;
  console.log(`\n${'figure'.padEnd(width)}value`);
  for (const [name, value] of figures) {
    console.log(`${name.padEnd(width)}${value}`);
  }
});
