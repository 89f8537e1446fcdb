import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { parse } from '../protocol/schema';
import type { ExportRequest } from './exportModalApp';

export const MODAL_APP_FILE = 'modal_app.py';

const exportedAppSchema = v.object({
  text: v.string(),
  files: v.array(v.string()),
  requirements: v.array(v.string()),
  notes: v.array(v.string()),
});

/**
 * Exports by the bundle that holds the parser, which is loaded only now.
 * @param bundleDir folder of modal-export.js
 * @throws Error in words for the user
 */
export async function exportModalApp(
  bundleDir: string,
  request: ExportRequest,
): Promise<v.InferOutput<typeof exportedAppSchema>> {
  const bundle: unknown = await import(pathToFileURL(join(bundleDir, 'modal-export.js')).href);
  if (!isExporter(bundle)) {
    throw new Error(`${bundleDir} lacks what exports; install Tiny Cats again.`);
  }
  return parse(exportedAppSchema, bundle.exportModalApp(request), 'exported app');
}

function isExporter(bundle: unknown): bundle is { exportModalApp: (request: ExportRequest) => unknown } {
  return (
    typeof bundle === 'object' &&
    bundle !== null &&
    'exportModalApp' in bundle &&
    typeof bundle.exportModalApp === 'function'
  );
}
