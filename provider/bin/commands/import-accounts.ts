import { open } from 'node:fs/promises';
import {
  accountLines,
  type ImportSummary,
  importAccounts as importLines,
  type LineProblem,
} from '../../accounts/import/import-accounts.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { createProgressLine } from '../cli/progress-line.ts';
import { readFirebaseParameters } from './firebase-parameters.ts';
import { withStores } from './open-stores.ts';

export interface ImportCommandOptions {
  /** A path, or `-` for standard input. */
  file: string;
  dryRun: boolean;
  update: boolean;
  /** The file with a Firebase project's password hash parameters. */
  firebase?: string | undefined;
}

/**
 * `gatehouse accounts import`. Throws a CommandFailure when lines failed. The valid lines are already imported then.
 */
export async function importAccounts(options: ImportCommandOptions, output: Output): Promise<void> {
  const { dryRun, update } = options;
  const firebase =
    options.firebase === undefined ? undefined : await readFirebaseParameters(options.firebase);
  const input = await openInput(options.file);
  const progress = createProgressLine(process.stderr, { shown: !output.json });
  const problem = (found: LineProblem) => {
    progress.clear();
    report(found, output);
  };
  const summary = await withStores({ manyAccounts: true }, ({ accessModel, ports, newEvent, serverKeys }) =>
    importLines({
      lines: accountLines(input),
      accounts: ports.accounts,
      unitOfWork: ports.unitOfWork,
      newEvent,
      keys: onlyOnce(serverKeys),
      clock,
      roles: new Set(Object.keys(accessModel.roles)),
      dryRun,
      update,
      firebase,
      problem,
      progress: (soFar) => progress.show(sums(soFar)),
    }),
  ).finally(() => progress.clear());
  output.event(
    { type: 'summary', dryRun, ...summary },
    dryRun ? `A dry run, nothing was written. It would have been ${sums(summary)}.` : `${sums(summary)}.`,
  );
  if (summary.failed === 0) return;
  const message = `${summary.failed} ${summary.failed === 1 ? 'account has' : 'accounts have'} problems. Mend the lines and run it again: what is in stays as it is.`;
  throw new CommandFailure('problems', message, { code: 'lines_failed' });
}

/** The server secrets are read for the first line that needs them, and once. */
function onlyOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= read();
    return result;
  };
}

function report({ line, field, message }: LineProblem, output: Output): void {
  const where = field === '' ? '' : ` ${field}:`;
  output.event({ type: 'problem', line, field, message }, `line ${line}:${where} ${message}`);
}

function sums({ lines, imported, updated, unchanged, failed }: ImportSummary): string {
  return `${lines} lines: ${imported} imported, ${updated} updated, ${unchanged} unchanged, ${failed} failed`;
}

async function openInput(file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return process.stdin;
  try {
    return (await open(file)).createReadStream();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    const message = `The file ${file} can't be read (${code}). Check the path and its permissions.`;
    throw new CommandFailure('problems', message, { code: 'unreadable_file' });
  }
}
