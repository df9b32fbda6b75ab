import { emailKey } from '../../../provider/ports/account-store.ts';
import type { Blocked, Migration, Query } from './migration.ts';

interface AddressRow {
  id: string;
  email: string;
  email_key: string;
  state: string;
  created_at: string;
}

/** The accounts that have one address, the one that keeps the address first. */
type Group = [keeper: AddressRow, ...others: AddressRow[]];

/** The accounts whose normal form is not the key that earlier releases wrote. */
interface Respelled {
  /** The new key of each account by its id. */
  keys: Map<string, string>;
  /** Those addresses that more than one account has. */
  shared: Group[];
}

const isActive = ({ state }: AddressRow) => state === 'active';

/** Active accounts first, then older accounts first. */
const byClaim = (one: AddressRow, other: AddressRow) =>
  Number(isActive(other)) - Number(isActive(one)) || Number(one.created_at) - Number(other.created_at);

/** Only these keys can differ from the normal form: those with characters beyond ASCII, or a dot at the end. */
async function readRespelled(query: Query): Promise<Respelled> {
  const columns = 'id, email, email_key, state, created_at';
  const candidates = await query<AddressRow>(
    `select ${columns} from accounts
     where octet_length(email_key) > char_length(email_key) or email_key like '%.'
     order by id`,
  );
  const respelled = candidates.filter(({ email, email_key }) => emailKey(email) !== email_key);
  const keys = new Map(respelled.map(({ id, email }) => [id, emailKey(email)]));
  const namesakes = await query<AddressRow>(
    `select ${columns} from accounts where email_key = any(:keys::text[]) order by id`,
    { keys: [...new Set(keys.values())] },
  );
  const groups = new Map<string, AddressRow[]>();
  for (const row of [...namesakes.filter(({ id }) => !keys.has(id)), ...respelled]) {
    const key = keys.get(row.id) ?? row.email_key;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const shared = [...groups.values()].filter(({ length }) => length > 1);
  return { keys, shared: shared.map((rows) => rows.sort(byClaim) as Group) };
}

const advice =
  'Some accounts have the same email address in different spellings, and only one account of each group can keep the address. ' +
  'Decide which one. Disable the others with the release that is running now: gatehouse accounts disable <id>. ' +
  'Then run gatehouse migrate again. A disabled account keeps its data and its id, and can no longer sign in with the address';

function blocked({ shared }: Respelled): Blocked | undefined {
  const undecided = shared.filter((group) => group.filter(isActive).length > 1);
  if (undecided.length === 0) return undefined;
  const described = ({ id, email, state, created_at }: AddressRow) =>
    `${email} (${id}, ${state}, created ${new Date(Number(created_at)).toISOString()})`;
  return { advice, problems: undecided.map((group) => group.map(described).join(', ')) };
}

/**
 * `normal_email` is the key by which addresses are compared, `emailKey`. Null means that it is `email_key`. Earlier
 * releases read and write only `email_key`, so they run on this schema, and most rows need no change.
 *
 * An account whose address another account keeps gets a value that is no key, so that no address finds it. Keys have no
 * upper case.
 */
export const normalAddresses: Migration = {
  name: '0015-normal-addresses',
  blocked: async (query) => {
    const [found] = await query<{ exists: boolean }>("select to_regclass('accounts') is not null as exists");
    return found?.exists ? blocked(await readRespelled(query)) : undefined;
  },
  up: async (sql, query) => {
    await sql('lock table accounts in share row exclusive mode');
    const respelled = await readRespelled(query);
    const keys = new Map(respelled.keys);
    for (const [, ...others] of respelled.shared)
      for (const { id } of others) keys.set(id, `WITHOUT ADDRESS ${id}`);
    await sql('alter table accounts add column normal_email text collate "C"');
    await query(
      `update accounts set normal_email = given.key
       from unnest(:ids::text[], :keys::text[]) as given (id, key) where accounts.id = given.id`,
      { ids: [...keys.keys()], keys: [...keys.values()] },
    );
    await sql('create unique index accounts_normal_email on accounts (coalesce(normal_email, email_key))');
  },
};
