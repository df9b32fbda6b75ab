import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/package-root.ts';

/** The folder of our own templates, texts and styles. */
export const builtInViews: string = join(packageRoot, 'views');

/** Reports a problem with a file or setting. All problems are collected and reported together. */
export type Complain = (problem: string) => void;

/**
 * Returns the folders that contain views. A file in a later folder replaces the file of the same name in an earlier
 * one.
 */
export function viewsFolders(own: string | undefined, complain: Complain): string[] {
  if (own === undefined) return [builtInViews];
  try {
    readdirSync(own);
    return [builtInViews, own];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complain(
      `GATEHOUSE_VIEWS_FOLDER: the folder ${own} can't be read (${code}). Check the path and its permissions.`,
    );
    return [builtInViews];
  }
}

/**
 * Returns the files below a folder, as relative paths with `/`. Hidden files and hidden folders are left out, because
 * Kubernetes keeps the versions of a volume in hidden folders.
 */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
    .sort();
}

/**
 * Returns the result of `read` for a file. When reading fails, it reports a problem that names the file and returns
 * undefined.
 */
export function readingView<T>(file: string, complain: Complain, read: (text: string) => T): T | undefined {
  try {
    return read(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    complain(`${file} can't be used: ${reason.trim()}`);
    return undefined;
  }
}
