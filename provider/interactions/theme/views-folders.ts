import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/package-root.ts';

/** Where our own templates, texts and styles are. */
export const builtInViews: string = join(packageRoot, 'views');

/** Says what is wrong with a file or setting, for all such things to be told together. */
export type Complain = (problem: string) => void;

/** The folders views are taken from: what is in a later one takes the place of what is in an earlier one. */
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
 * The files below a folder, as paths from there with `/`. Hidden ones are left out, and hidden folders with them:
 * Kubernetes keeps a volume's versions in such.
 */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
    .sort();
}

/** What `read` makes of a file; undefined, and a complaint that names it, when that fails. */
export function readingView<T>(file: string, complain: Complain, read: (text: string) => T): T | undefined {
  try {
    return read(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    complain(`${file} can't be used: ${reason.trim()}`);
    return undefined;
  }
}
