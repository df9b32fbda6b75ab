import type { NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { type Account, type AccountStore, emailKey } from '../../ports/account-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import { changeFor, updateAccount } from './import-change.ts';
import type { FieldMistake, ImportedFields } from './import-line.ts';
import type { ReadTotp, TotpImport } from './import-totp.ts';
import { createSeenLines } from './seen-lines.ts';

export interface Candidate {
  line: number;
  fields: ImportedFields;
  /** The app of the line. */
  totp?: ReadTotp | undefined;
}

export type Outcome = 'imported' | 'updated' | 'unchanged' | FieldMistake[];

export interface BatchImportDeps {
  accounts: Pick<AccountStore, 'insertMany' | 'findById' | 'findByEmail'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  /** Reads and writes authenticator apps. */
  totp: TotpImport;
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

  const compare = async (candidate: Candidate): Promise<Outcome | 'free'> => {
    const found = await findExisting(deps.accounts, candidate.fields);
    if ('field' in found) return [found];
    return found.account === undefined ? 'free' : compareExisting(deps, candidate, found.account);
  };
  /** Reads the apps of the lines. A line whose app can't be read gets an outcome, and is not given. */
  const readApps = async (given: Candidate[], outcomes: Map<number, Outcome>): Promise<Candidate[]> => {
    const readable: Candidate[] = [];
    for (const { line, fields } of given) {
      const totp = fields.totp && (await deps.totp.read(fields.totp, fields.id));
      if (totp && 'field' in totp) outcomes.set(line, [totp]);
      else readable.push({ line, fields, totp });
    }
    return readable;
  };

  /** Gives the outcome of a line that was not inserted although its id and address are free now. */
  const whyNot = (candidate: Candidate): Outcome => {
    const earlier = deps.dryRun ? seen.earlier(candidate) : 'An earlier line';
    if (earlier === undefined) return 'imported';
    return [{ field: '', message: `${earlier} has this id or address. Leave one of them out.` }];
  };

  return async (given) => {
    const outcomes = new Map<number, Outcome>();
    const candidates = await readApps(given, outcomes);
    const inserted = deps.dryRun ? [] : await insert(deps, candidates);
    for (const { line } of inserted) outcomes.set(line, 'imported');
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
async function insert(deps: BatchImportDeps, candidates: Candidate[]): Promise<Candidate[]> {
  const made = candidates.map(({ fields }) => accountOf(fields, deps.clock.now()));
  if (made.length === 0) return [];
  const insertedBy = async (accounts: Pick<AccountStore, 'insertMany'>) => {
    const ids = new Set(await accounts.insertMany(made));
    // If two lines have the same id, the earlier one was inserted.
    return candidates
      .map((candidate, index) => ({ candidate, account: made[index] as Account }))
      .filter(({ account }) => ids.delete(account.id));
  };
  if (candidates.every(({ totp }) => totp === undefined))
    return (await insertedBy(deps.accounts)).map(({ candidate }) => candidate);
  // One transaction, so that no account is there without its second factor.
  return deps.unitOfWork.run(async (stores) => {
    const inserted = await insertedBy(stores.accounts);
    for (const { candidate, account } of inserted)
      if (candidate.totp) await deps.totp.add(stores, account, candidate.totp);
    return inserted.map(({ candidate }) => candidate);
  });
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
  { fields, totp }: Candidate,
  account: Account,
): Promise<Outcome> {
  const change = changeFor(fields, account);
  const hasOtherApp =
    totp && (await deps.unitOfWork.run((stores) => deps.totp.differs(stores, account.id, totp)));
  const names = [...Object.keys(change), ...(hasOtherApp ? ['totp'] : [])];
  if (names.length === 0) return 'unchanged';
  if (!update) {
    const message = 'The account exists already with another value. Leave the line out, or update accounts.';
    return names.map((name) => ({ field: name === 'state' ? '/disabled' : `/${name}`, message }));
  }
  if (dryRun) return 'updated';
  if (Object.keys(change).length > 0) await updateAccount(deps, account.id, change);
  if (hasOtherApp) await deps.unitOfWork.run((stores) => deps.totp.replace(stores, account, totp));
  return 'updated';
}
