import type {
  ClientSession,
  ClientSessions,
  EndedClientSessions,
  LogoutReceiver,
} from '../../provider/ports/client-sessions.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

export class PostgresClientSessions implements ClientSessions {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async join(session: ClientSession, receiver: LogoutReceiver): Promise<boolean> {
    const { clientId, sid, accountId, tokenVersion, sessionId, expiresAt } = session;
    // `for share` waits for a transaction that raises the token version, and such a transaction waits for this statement.
    // So its ending finds the row, or this statement finds the new version. The row of a receiver that is as it was is not
    // written: that would lock it, and sign-ins at one client would wait for each other.
    const joined = await rows(
      this.#db,
      `with account as materialized (
         select id from accounts
         where id = :accountId and generation = :tokenVersion and state = 'active' for share
       ), receiver as (
         insert into logout_receivers (client_id, uri, host, with_sid, may_be_private)
         select :clientId, :uri, :host, :withSid::boolean, :mayBePrivate::boolean from account
         where not exists (
           select from logout_receivers where client_id = :clientId and uri = :uri and host = :host
             and with_sid = :withSid::boolean and may_be_private = :mayBePrivate::boolean)
         on conflict (client_id) do update set uri = excluded.uri, host = excluded.host,
           with_sid = excluded.with_sid, may_be_private = excluded.may_be_private
       )
       insert into client_sessions as known (sid, client_id, account_id, session_id, expires_at)
       select :sid, :clientId, id, :sessionId, :expiresAt from account
       on conflict (sid) do update set expires_at = greatest(known.expires_at, excluded.expires_at)
       returning sid`,
      {
        accountId,
        tokenVersion,
        clientId,
        sid,
        expiresAt,
        sessionId: sessionId ?? null,
        uri: receiver.uri,
        host: receiver.host,
        withSid: receiver.withSid,
        mayBePrivate: receiver.mayBePrivate,
      },
    );
    return joined.length > 0;
  }

  end(which: EndedClientSessions, at: number): Promise<number> {
    const [condition, bindings] = conditionOf(which);
    if (!storable(...Object.values(bindings))) return Promise.resolve(0);
    return affected(
      this.#db,
      `with ended as (
         delete from client_sessions as session using logout_receivers as receiver
         where ${condition} and receiver.client_id = session.client_id
         returning session.client_id, session.account_id, case when receiver.with_sid then session.sid end as sid
       )
       insert into logouts (id, client_id, account_id, sid, ended_at)
       select 'logout_' || replace(gen_random_uuid()::text, '-', ''), client_id, account_id, sid, :at
       from (select distinct client_id, account_id, sid from ended) as logout`,
      { ...bindings, at },
    );
  }

  async leave(sid: string): Promise<void> {
    if (storable(sid)) await affected(this.#db, 'delete from client_sessions where sid = :sid', { sid });
  }

  async update(receivers: readonly LogoutReceiver[], without: readonly string[]): Promise<void> {
    const ids = [...receivers.map(({ clientId }) => clientId), ...without];
    const known = await rows<{ client_id: string }>(
      this.#db,
      'select client_id from logout_receivers where client_id = any(:ids::text[])',
      { ids },
    );
    if (known.length === 0) return;
    const found = new Set(known.map(({ client_id: id }) => id));
    const gone = without.filter((id) => found.has(id));
    if (gone.length > 0) await this.forget(gone);
    for (const { clientId, ...receiver } of receivers.filter((one) => found.has(one.clientId))) {
      await affected(
        this.#db,
        `update logout_receivers set uri = :uri, host = :host, with_sid = :withSid, may_be_private = :mayBePrivate
         where client_id = :clientId
           and (uri, host, with_sid, may_be_private) is distinct from (:uri, :host, :withSid::boolean, :mayBePrivate::boolean)`,
        { clientId, ...receiver },
      );
    }
  }

  async forget(clientIds: readonly string[]): Promise<void> {
    const ids = clientIds.filter((id) => storable(id));
    for (const table of ['logouts', 'client_sessions', 'logout_receivers'])
      await affected(this.#db, `delete from ${table} where client_id = any(:ids::text[])`, { ids });
  }
}

function conditionOf(which: EndedClientSessions): [condition: string, bindings: Record<string, string>] {
  if ('sid' in which) return ['session.sid = :sid', { sid: which.sid }];
  if ('sessionId' in which) return ['session.session_id = :sessionId', { sessionId: which.sessionId }];
  const { accountId, clientId } = which;
  if (clientId === undefined) return ['session.account_id = :accountId', { accountId }];
  return ['session.account_id = :accountId and session.client_id = :clientId', { accountId, clientId }];
}
