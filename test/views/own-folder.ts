import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createPages, type PagesOptions } from '../../provider/interactions/pages.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';

/** Writes files into a folder. Their names may contain subfolders. */
export function writeFiles(folder: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Creates a folder with files while `use` runs. */
export function withFolder<T>(files: Record<string, string | Buffer>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-views-'));
  try {
    writeFiles(folder, files);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems of the given options, one by one. */
export function problemsOf(options: Partial<PagesOptions>): string[] {
  try {
    createPages({ appName: 'Acme', ...options });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}
