import { exportAccounts } from '../../provider/accounts/import/export-accounts.ts';
import {
  type ImportOptions,
  type ImportSummary,
  importAccounts,
  type LineProblem,
} from '../../provider/accounts/import/import-accounts.ts';
import type { AccountStore } from '../../provider/ports/account-store.ts';
import { createWorld } from './account-world.ts';

export type Written = Uint8Array | string | Record<string, unknown>;

async function* linesOf(written: Iterable<Written> | AsyncIterable<Written>) {
  for await (const line of written)
    yield typeof line === 'string' || line instanceof Uint8Array ? line : JSON.stringify(line);
}

/** Stores for imports and exports, with the problems that they reported. */
export function createImportWorld() {
  const world = createWorld();
  const run = async (
    written: Iterable<Written> | AsyncIterable<Written>,
    options: Partial<ImportOptions> = {},
  ) => {
    const problems: LineProblem[] = [];
    const reports: ImportSummary[] = [];
    const summary = await importAccounts({
      lines: linesOf(written),
      accounts: world.store,
      unitOfWork: world.unitOfWork,
      newEvent: world.newEvent,
      keys: async () => world.keys,
      roles: new Set(['CLIENT', 'ADMIN']),
      clock: world.clock,
      progress: (soFar) => reports.push(soFar),
      problem: (problem) => problems.push(problem),
      ...options,
    });
    return { summary, problems, reports };
  };
  return { ...world, import: run, export: () => exported(world.store) };
}

/** The whole export as one text. */
export async function exported(accounts: Pick<AccountStore, 'list'>): Promise<string> {
  let text = '';
  for await (const line of exportAccounts({ accounts })) text += line;
  return text;
}
