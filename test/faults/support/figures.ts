/** What a suite has measured; printed as one table when all tests are done. */
const figures: [name: string, value: string][] = [];

export function figure(name: string, value: string | number): void {
  figures.push([name, String(value)]);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

after(() => {
  const width = Math.max(0, ...figures.map(([name]) => name.length)) + 2;
  console.log(`\n${'figure'.padEnd(width)}value`);
  for (const [name, value] of figures) {
    console.log(`${name.padEnd(width)}${value}`);
  }
});
