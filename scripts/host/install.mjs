/** Installs what the in-host suite and the browser run need: the VS Code host and a Chromium. */
import { ensureChromium } from './browser.mjs';
import { ensureHost } from './installHost.mjs';

console.log(`VS Code host: ${(await ensureHost()).entry}`);
console.log(`Chromium: ${await ensureChromium()}`);
