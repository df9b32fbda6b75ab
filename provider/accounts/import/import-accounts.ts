import type { NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { AccountStore } from '../../ports/account-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import { createFirebaseHash, type FirebaseParameters } from './firebase-hash.ts';
import { createBatchImport } from './import-batch.ts';
import {
  type FieldMistake,
  type ImportedFields,
  type ImportLineDeps,
  longestLine,
  readImportLine,
} from './import-line.ts';
import { createTotpImport } from './import-totp.ts';
import { textLines } from './text-lines.ts';

/*
 * This folder imports and exports accounts, and reads the password hashes of other systems. It reads no files or
 * arguments (bin/commands does this), and it hashes no passwords (../passwords.ts does this).
 */

/** A problem of a line; one line can have several. */
export interface LineProblem extends FieldMistake {
  /** From 1. */
  line: number;
}

/** The number of lines by their outcome. After a dry run, the outcome that an import would have. */
export interface ImportSummary {
  /** The number of the last line that was read, blank lines included. */
  lines: number;
  imported: number;
  updated: number;
  /** The account already exists and has the values of the line. */
  unchanged: number;
  failed: number;
}

export interface ImportOptions {
  /** The lines of the file: bytes from `accountLines`, or text. */
  lines: AsyncIterable<Uint8Array | string>;
  accounts: Pick<AccountStore, 'insertMany' | 'findById' | 'findByEmail'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  /** Gives the keys of the server secrets, for lines with an authenticator app. */
  keys(): Promise<Pick<ServerKeys, 'seal' | 'open'>>;
  /** All roles that are defined. */
  roles: ReadonlySet<string>;
  clock: Clock;
  /** Writes nothing. Default: false. */
  dryRun?: boolean | undefined;
  /** Whether an account that already exists gets the values of the line. Default: false. */
  update?: boolean | undefined;
  /** For lines with hashes of a Firebase project. */
  firebase?: FirebaseParameters | undefined;
  /** Called after each batch with the sums so far. */
  progress?: ((soFar: ImportSummary) => void) | undefined;
  problem(problem: LineProblem): void;
}

type Entry = { line: number } & ({ fields: ImportedFields } | { mistakes: FieldMistake[] });

const batchLines = 500;
const batchLength = 4 * 1024 * 1024;
const mostMistakes = 20;

/** Gives the lines of a file for `importAccounts`, in bounded memory for any content. */
export function accountLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return textLines(chunks, longestLine);
}

/**
 * Imports accounts from lines of JSON (docs/import.md). Password hashes are stored unchanged: nothing is hashed. When a
 * line is not valid, it is reported and the import continues. A second run with the same file continues where the first
 * one stopped: an account that already has the values of the line counts as done.
 *
 * Throws ConfigurationError for Firebase parameters that are not valid, and `store_unavailable`. Accounts that were
 * written before stay.
 */
export async function importAccounts(options: ImportOptions): Promise<ImportSummary> {
  const firebaseHash = options.firebase && createFirebaseHash(options.firebase);
  const read = createLineReader({ roles: options.roles, firebaseHash });
  const finish = createFinish(options);
  let sums: ImportSummary = { lines: 0, imported: 0, updated: 0, unchanged: 0, failed: 0 };
  let entries: Entry[] = [];
  let line = 0;
  let length = 0;
  const flush = async () => {
    sums = await finish(entries, { ...sums, lines: line });
    entries = [];
    length = 0;
  };
  for await (const given of options.lines) {
    line += 1;
    const result = read(given);
    if (result !== undefined) entries.push({ line, ...result });
    length += given.length;
    if (line % batchLines === 0 || length >= batchLength) await flush();
  }
  await flush();
  return sums;
}

/** Gives a function that reads one line. It gives undefined for a blank line. */
function createLineReader(deps: ImportLineDeps) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const wrong = (message: string) => ({ mistakes: [{ field: '', message }] });
  const decode = (line: Uint8Array | string) => {
    try {
      return typeof line === 'string' ? line : decoder.decode(line);
    } catch {
      return undefined;
    }
  };
  return (line: Uint8Array | string) => {
    if (line.length > longestLine)
      return wrong(`A line has at most ${longestLine} bytes. Shorten its metadata.`);
    const text = decode(line);
    if (text === undefined)
      return wrong("This line isn't UTF-8. Convert the file, or look for binary data in it.");
    return text.trim() === '' ? undefined : readImportLine(text, deps);
  };
}

/** Gives a function that imports a batch, reports its problems in the order of lines, and gives the new sums. */
function createFinish(options: ImportOptions) {
  const importBatch = createBatchImport({ ...options, totp: createTotpImport(options) });
  return async (entries: Entry[], before: ImportSummary): Promise<ImportSummary> => {
    const sums = { ...before };
    const outcomes = await importBatch(entries.filter((entry) => 'fields' in entry));
    for (const entry of entries) {
      const outcome = 'fields' in entry ? outcomes.get(entry.line) : entry.mistakes;
      if (typeof outcome === 'string') {
        sums[outcome] += 1;
        continue;
      }
      sums.failed += 1;
      for (const mistake of outcome?.slice(0, mostMistakes) ?? [])
        options.problem({ line: entry.line, ...mistake });
    }
    options.progress?.({ ...sums });
    return sums;
  };
}
