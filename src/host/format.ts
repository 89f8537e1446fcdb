/** Texts for people: durations, shares, sizes. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** "850 ms", "4.2 s", "32 s", "3 min 5 s", "2 h 10 min" */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 10 * SECOND_MS) {
    return `${(ms / SECOND_MS).toFixed(1)} s`;
  }
  const rounded = Math.round(ms / SECOND_MS) * SECOND_MS;
  if (rounded < MINUTE_MS) {
    return `${rounded / SECOND_MS} s`;
  }
  if (rounded < HOUR_MS) {
    return `${Math.floor(rounded / MINUTE_MS)} min ${(rounded % MINUTE_MS) / SECOND_MS} s`;
  }
  return `${Math.floor(rounded / HOUR_MS)} h ${Math.floor((rounded % HOUR_MS) / MINUTE_MS)} min`;
}

/** @param share 0 to 1 */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Any text as text in Markdown: nothing in it makes a link, an icon, a tag or a table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!~|<>&$:]/g, '\\$&').replace(/\s+/g, ' ');
}

/** "classifier" -> "Classifier" */
export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** How far the training was: "step 500", or "epoch 3" where epochs are counted. */
export function formatAge({ epoch, step }: { epoch: number; step?: number | undefined }): string {
  return step === undefined ? `epoch ${epoch}` : `step ${step}`;
}
