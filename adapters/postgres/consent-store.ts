import type { Agreement, Consent, ConsentStore } from '../../provider/ports/consent-store.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface ConsentRow {
  account_id: string;
  client_id: string;
  oidc_scopes: string[];
  resource_scopes: Record<string, string[]>;
  id: string;
  created_at: string;
}

function toConsent(row: ConsentRow): Consent {
  return {
    accountId: row.account_id,
    clientId: row.client_id,
    oidcScopes: row.oidc_scopes,
    resourceScopes: row.resource_scopes,
    id: row.id,
    since: Number(row.created_at),
  };
}

/** Computed on the row that `on conflict` has locked, so a parallel union is not lost. */
const unionOfResourceScopes = `(
  select coalesce(jsonb_object_agg(audience, scopes), '{}') from (
    select audience, jsonb_agg(scope order by scope collate "C") as scopes from (
      select key as audience, jsonb_array_elements_text(value) as scope from jsonb_each(consents.resource_scopes)
      union
      select key, jsonb_array_elements_text(value) from jsonb_each(excluded.resource_scopes)
    ) as agreed group by audience
  ) as merged
)`;

export class PostgresConsentStore implements ConsentStore {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async find(accountId: string, clientId: string): Promise<Consent | undefined> {
    if (!storable(accountId, clientId)) return undefined;
    const [row] = await rows<ConsentRow>(
      this.#db,
      'select * from consents where account_id = :accountId and client_id = :clientId',
      { accountId, clientId },
    );
    return row && toConsent(row);
  }

  async list(accountId: string): Promise<Consent[]> {
    if (!storable(accountId)) return [];
    const found = await rows<ConsentRow>(
      this.#db,
      'select * from consents where account_id = :accountId order by created_at, client_id',
      { accountId },
    );
    return found.map(toConsent);
  }

  // `xmax` is 0 only in a row that this statement inserted. In a row that existed before, `on conflict` has locked the
  // row and set `xmax`.
  async add(agreement: Agreement, at: number): Promise<{ consent: Consent; isNew: boolean }> {
    const [added] = await rows<ConsentRow & { is_new: boolean }>(
      this.#db,
      `insert into consents (account_id, client_id, oidc_scopes, resource_scopes, created_at, updated_at)
       values (:accountId, :clientId, :oidcScopes, :resourceScopes, :at, :at)
       on conflict (account_id, client_id) do update set
         oidc_scopes = array(select unnest(consents.oidc_scopes) union select unnest(excluded.oidc_scopes)),
         resource_scopes = ${unionOfResourceScopes},
         updated_at = excluded.updated_at
       returning *, xmax = 0 as is_new`,
      {
        accountId: agreement.accountId,
        clientId: agreement.clientId,
        oidcScopes: agreement.oidcScopes,
        resourceScopes: JSON.stringify(agreement.resourceScopes),
        at,
      },
    );
    if (added === undefined) throw new Error('an upsert gives its row');
    return { consent: toConsent(added), isNew: added.is_new };
  }

  async withdraw({
    accountId,
    clientId,
    id,
  }: Pick<Consent, 'accountId' | 'clientId' | 'id'>): Promise<boolean> {
    if (!storable(accountId, clientId, id)) return false;
    const withdrawn = await affected(
      this.#db,
      'delete from consents where account_id = :accountId and client_id = :clientId and id = :id',
      { accountId, clientId, id },
    );
    return withdrawn === 1;
  }
  withdrawAll(clientIds: readonly string[]): Promise<number> {
    const ids = clientIds.filter((id) => storable(id));
    return affected(this.#db, 'delete from consents where client_id = any(:ids::text[])', { ids });
  }
}
