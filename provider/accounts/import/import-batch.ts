import type { NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { type Account, type AccountStore, emailKey } from '../../ports/account-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import { changeFor, updateAccount } from './import-change.ts';
import type { FieldMistake, ImportedFields } from './import-line.ts';
import { createSeenLines } from './seen-lines.ts';

export interface Candidate {
  line: number;
  fields: ImportedFields;
}

export type Outcome = 'imported' | 'updated' | 'unchanged' | FieldMistake[];

export interface BatchImportDeps {
  accounts: Pick<AccountStore, 'insertMany' | 'findById' | 'findByEmail'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
  dryRun?: boolean | undefined;
  update?: boolean | undefined;
}

/** The number of look-ups that run at the same time. */
const lookUps = 8;

/** Gives a function that imports a batch of accounts in one write, and gives the outcome of each line. */
export function createBatchImport(
  deps: BatchImportDeps,
): (candidates: Candidate[]) => Promise<Map<number, Outcome>> {
  const seen = createSeenLines();

  const compare = async ({ fields }: Candidate): Promise<Outcome | 'free'> => {
    const found = await findExisting(deps.accounts, fields);
    if ('field' in found) return [found];
    return found.account === undefined ? 'free' : compareExisting(deps, fields, found.account);
  };

  /** Gives the outcome of a line that was not inserted although its id and address are free now. */
  const whyNot = (candidate: Candidate): Outcome => {
    const earlier = deps.dryRun ? seen.earlier(candidate) : 'An earlier line';
    if (earlier === undefined) return 'imported';
    return [{ field: '', message: `${earlier} has this id or address. Leave one of them out.` }];
  };

  return async (candidates) => {
    const inserted = deps.dryRun ? [] : await insert(deps, candidates);
    const outcomes = new Map<number, Outcome>(inserted.map(({ line }) => [line, 'imported']));
    const rest = candidates.filter(({ line }) => !outcomes.has(line));
    // When accounts are updated, the lines run one after the other, so that a line sees the changes of earlier lines.
    for (const some of inGroups(rest, deps.update ? 1 : lookUps)) {
      const compared = await Promise.all(some.map(compare));
      for (const [index, candidate] of some.entries()) {
        const outcome = compared[index] ?? 'free';
        outcomes.set(candidate.line, outcome === 'free' ? whyNot(candidate) : outcome);
      }
    }
    return outcomes;
  };
}

function inGroups<Item>(items: Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** Gives the candidates that were inserted. */
async function insert({ accounts, clock }: BatchImportDeps, candidates: Candidate[]): Promise<Candidate[]> {
  const made = candidates.map(({ fields }) => accountOf(fields, clock.now()));
  const ids = new Set(made.length === 0 ? [] : await accounts.insertMany(made));
  // If two lines have the same id, the earlier one was inserted.
  return candidates.filter((_, index) => ids.delete(made[index]?.id ?? ''));
}

function accountOf(fields: ImportedFields, now: number): Account {
  return {
    id: fields.id ?? newId('user'),
    email: fields.email,
    emailVerified: fields.emailVerified ?? false,
    ...(fields.isUnconfirmed ? { isUnconfirmed: true } : {}),
    passwordHash: fields.passwordHash,
    roles: fields.roles ?? [],
    metadata: fields.metadata ?? {},
    state: fields.state ?? 'active',
    tokenVersion: fields.tokenVersion ?? 0,
    createdAt: fields.createdAt ?? now,
    updatedAt: fields.updatedAt ?? now,
  };
}

async function findExisting(
  accounts: BatchImportDeps['accounts'],
  { id, email }: ImportedFields,
): Promise<{ account: Account | undefined } | FieldMistake> {
  const byId = id === undefined ? undefined : await accounts.findById(id);
  if (byId !== undefined) {
    if (emailKey(byId.email) === emailKey(email)) return { account: byId };
    return {
      field: '/email',
      message: `${byId.id} has another address. An import doesn't change addresses.`,
    };
  }
  const account = await accounts.findByEmail(email);
  if (account === undefined || id === undefined) return { account };
  return { field: '/id', message: `The account with this address is ${account.id}. Take its id, or none.` };
}

async function compareExisting(
  { dryRun, update, ...deps }: BatchImportDeps,
  fields: ImportedFields,
  account: Account,
): Promise<Outcome> {
  const change = changeFor(fields, account);
  const names = Object.keys(change);
  if (names.length === 0) return 'unchanged';
  if (!update) {
    const message = 'The account exists already with another value. Leave the line out, or update accounts.';
    return names.map((name) => ({ field: name === 'state' ? '/disabled' : `/${name}`, message }));
  }
  if (!dryRun) await updateAccount(deps, account.id, change);
  return 'updated';
}
