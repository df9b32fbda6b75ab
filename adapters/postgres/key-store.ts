import { ConfigurationError } from '../../provider/lib/errors.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import type { ServerKeys } from '../../provider/lib/server-keys.ts';
import type { KeyStore, StoredKeySet } from '../../provider/ports/key-store.ts';
import { affected, rows, type Sql } from './sql.ts';

const context = 'signing keys';

/** The key set in one row, encrypted. So a copy of the database contains no signing key. */
export class PostgresKeyStore implements KeyStore {
  readonly #db: Sql;
  readonly #seals: () => Promise<Pick<ServerKeys, 'seal' | 'open'>>;

  /** @param options.seals reads the secret that encrypts the set. It is called each time, so a new secret is found. */
  constructor({ db, seals }: { db: Sql; seals: () => Promise<Pick<ServerKeys, 'seal' | 'open'>> }) {
    this.#db = db;
    this.#seals = seals;
  }

  /** @throws ConfigurationError when the set was encrypted with another secret; StoreUnavailable */
  async load(): Promise<StoredKeySet | undefined> {
    const [row] = await rows<{ version: string; sealed: string }>(
      this.#db,
      'select version, sealed from signing_keys',
    );
    if (row === undefined) return undefined;
    const value = (await this.#seals()).open(context, row.sealed);
    if (value === undefined) {
      throw new ConfigurationError([
        'The key set in Postgres was encrypted with a secret that GATEHOUSE_KEYS_SECRET does not contain. Add that secret again, behind the new one.',
      ]);
    }
    return { version: row.version, value };
  }

  /** @throws StoreUnavailable */
  async save(value: string, expected: string | undefined): Promise<boolean> {
    // A random version, so that a set that was deleted and created again has another version.
    const row = { version: randomToken(16), sealed: (await this.#seals()).seal(context, value) };
    const written =
      expected === undefined
        ? await affected(
            this.#db,
            'insert into signing_keys (version, sealed) values (:version, :sealed) on conflict do nothing',
            row,
          )
        : await affected(
            this.#db,
            'update signing_keys set version = :version, sealed = :sealed where version = :expected',
            { ...row, expected },
          );
    return written === 1;
  }
}
