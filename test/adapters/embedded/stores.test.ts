import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { PostgresAccountIndex } from '../../../adapters/postgres/account-index.ts';
import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { PostgresAddressChanges } from '../../../adapters/postgres/address-changes.ts';
import { PostgresClientSessions } from '../../../adapters/postgres/client-sessions.ts';
import { PostgresClientSource } from '../../../adapters/postgres/client-source.ts';
import { PostgresClientStore } from '../../../adapters/postgres/client-store.ts';
import { PostgresClientTokenVersions } from '../../../adapters/postgres/client-token-versions.ts';
import { PostgresConsentStore } from '../../../adapters/postgres/consent-store.ts';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import { PostgresExpiredRows } from '../../../adapters/postgres/expired-rows.ts';
import { PostgresFactorRemovals } from '../../../adapters/postgres/factor-removals.ts';
import { PostgresFamilyStore } from '../../../adapters/postgres/family-store.ts';
import { PostgresKeyStore } from '../../../adapters/postgres/key-store.ts';
import { PostgresLimits } from '../../../adapters/postgres/limits.ts';
import { PostgresLogouts } from '../../../adapters/postgres/logouts.ts';
import { PostgresMailSuppressions } from '../../../adapters/postgres/mail-suppressions.ts';
import { PostgresMails } from '../../../adapters/postgres/mails.ts';
import { PostgresOidcStore } from '../../../adapters/postgres/oidc-store.ts';
import { PostgresOneTimeTokens } from '../../../adapters/postgres/one-time-tokens.ts';
import { PostgresOutbox } from '../../../adapters/postgres/outbox.ts';
import { PostgresPasskeys } from '../../../adapters/postgres/passkeys.ts';
import { PostgresRegisteredClients } from '../../../adapters/postgres/registered-clients.ts';
import { PostgresRevocationStore } from '../../../adapters/postgres/revocation-store.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import { PostgresSecondFactors } from '../../../adapters/postgres/second-factors.ts';
import { PostgresSignInHistory } from '../../../adapters/postgres/sign-in-history.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { noWakeUp } from '../../../adapters/postgres/wake-up.ts';
import { type Clock, systemClock } from '../../../provider/lib/clock.ts';
import { createServerKeys } from '../../../provider/lib/server-keys.ts';
import { accountIndexContract } from '../../contract/account-index.ts';
import { accountStoreContract } from '../../contract/account-store.ts';
import { addressChangesContract } from '../../contract/address-changes.ts';
import { clientSourceContract, putClients } from '../../contract/client-source.ts';
import { clientStoreContract } from '../../contract/client-store.ts';
import { clientTokenVersionsContract } from '../../contract/client-token-versions.ts';
import { consentStoreContract } from '../../contract/consent-store.ts';
import { expiredRowsContract } from '../../contract/expired-rows.ts';
import { factorRemovalsContract } from '../../contract/factor-removals.ts';
import { familyStoreContract } from '../../contract/family-store.ts';
import { keyStoreContract } from '../../contract/key-store.ts';
import { limitsContract } from '../../contract/limits.ts';
import { logoutsContract } from '../../contract/logouts.ts';
import { mailSuppressionsContract } from '../../contract/mail-suppressions.ts';
import { mailsContract } from '../../contract/mails.ts';
import { oidcStoreContract } from '../../contract/oidc-store.ts';
import { oneTimeTokensContract } from '../../contract/one-time-tokens.ts';
import { outboxContract } from '../../contract/outbox.ts';
import { passkeysContract } from '../../contract/passkeys.ts';
import { registeredClientsContract } from '../../contract/registered-clients.ts';
import { revocationStoreContract } from '../../contract/revocation-store.ts';
import { schemaContract } from '../../contract/schema.ts';
import { secondFactorsContract } from '../../contract/second-factors.ts';
import { signInHistoryContract } from '../../contract/sign-in-history.ts';
import { unitOfWorkContract } from '../../contract/unit-of-work.ts';
import { createManualClock } from '../../support/manual-clock.ts';

// A new embedded database takes seconds on a free core, and much longer on a busy one.
jest.setTimeout(180_000);

// All tests share one database, because a new one takes more than a second and hundreds of megabytes.
let embedded: PGlite;
let database: Database;
beforeAll(async () => {
  embedded = await PGlite.create();
  database = openDatabase({ connection: createPgConfig(embedded) });
});
afterAll(async () => {
  await database.close();
  await embedded.close();
});

async function emptySchema(): Promise<Database['knex']> {
  await database.knex.raw('drop schema public cascade');
  await database.knex.raw('create schema public');
  return database.knex;
}

async function emptyTables(): Promise<Database['knex']> {
  const db = await emptySchema();
  await new PostgresSchema({ db }).migrate();
  return db;
}

const close = async () => {};

function opener<Store>(create: (deps: { db: Database['knex']; clock: Clock }) => Store) {
  return async () => {
    const clock = createManualClock(systemClock.now());
    return { store: create({ db: await emptyTables(), clock }), clock, close };
  };
}

accountStoreContract(
  'PostgresAccountStore, embedded',
  opener((deps) => new PostgresAccountStore(deps)),
);
consentStoreContract(
  'PostgresConsentStore, embedded',
  opener((deps) => new PostgresConsentStore(deps)),
);
revocationStoreContract(
  'PostgresRevocationStore, embedded',
  opener((deps) => new PostgresRevocationStore(deps)),
);
outboxContract(
  'PostgresOutbox, embedded',
  opener((deps) => new PostgresOutbox(deps)),
);
oidcStoreContract(
  'PostgresOidcStore, embedded',
  opener((deps) => new PostgresOidcStore(deps)),
);
familyStoreContract(
  'PostgresFamilyStore, embedded',
  opener((deps) => new PostgresFamilyStore(deps)),
);
accountIndexContract(
  'PostgresAccountIndex, embedded',
  opener((deps) => new PostgresAccountIndex(deps)),
);
factorRemovalsContract(
  'PostgresFactorRemovals, embedded',
  opener((deps) => new PostgresFactorRemovals(deps)),
);
secondFactorsContract(
  'PostgresSecondFactors, embedded',
  opener((deps) => new PostgresSecondFactors(deps)),
);
oneTimeTokensContract(
  'PostgresOneTimeTokens, embedded',
  opener((deps) => new PostgresOneTimeTokens(deps)),
);
mailSuppressionsContract(
  'PostgresMailSuppressions, embedded',
  opener((deps) => new PostgresMailSuppressions(deps)),
);
passkeysContract(
  'PostgresPasskeys, embedded',
  opener((deps) => new PostgresPasskeys(deps)),
);
limitsContract(
  'PostgresLimits, embedded',
  opener((deps) => new PostgresLimits(deps)),
);

addressChangesContract('PostgresAddressChanges, embedded', async () => {
  const db = await emptyTables();
  return {
    store: new PostgresAddressChanges({ db }),
    accounts: new PostgresAccountStore({ db }),
    close,
  };
});
signInHistoryContract('PostgresSignInHistory, embedded', async () => {
  const db = await emptyTables();
  return {
    store: new PostgresSignInHistory({ db }),
    outbox: new PostgresOutbox({ db }),
    count: async (accountId) =>
      Number((await db('recent_sign_ins').where({ account_id: accountId }).count().first())?.count),
    close,
  };
});

mailsContract('Postgres, embedded', async () => {
  const db = await emptyTables();
  return { mails: new PostgresMails({ db }), unitOfWork: new PostgresUnitOfWork({ db }), close };
});

logoutsContract('Postgres, embedded', async () => {
  const db = await emptyTables();
  return {
    sessions: new PostgresClientSessions({ db }),
    logouts: new PostgresLogouts({ db }),
    accounts: new PostgresAccountStore({ db }),
    unitOfWork: new PostgresUnitOfWork({ db }),
    close,
  };
});

const seals = async () => createServerKeys(['secret']);
keyStoreContract('PostgresKeyStore, embedded', async () => ({
  newPlace: async () => {
    const db = await emptyTables();
    return { connect: () => new PostgresKeyStore({ db, seals }) };
  },
  close,
}));

unitOfWorkContract('PostgresUnitOfWork, embedded', async () => {
  const db = await emptyTables();
  return {
    unitOfWork: new PostgresUnitOfWork({ db }),
    accounts: new PostgresAccountStore({ db }),
    consents: new PostgresConsentStore({ db }),
    outbox: new PostgresOutbox({ db }),
    denylist: new PostgresRevocationStore({ db, clock: systemClock }),
    history: new PostgresSignInHistory({ db }),
    close,
  };
});

clientTokenVersionsContract('PostgresClientTokenVersions, embedded', async () => {
  const db = await emptyTables();
  return {
    store: new PostgresClientTokenVersions({ db }),
    unitOfWork: new PostgresUnitOfWork({ db }),
    close,
  };
});

clientStoreContract('PostgresClientStore, embedded', async () => {
  const db = await emptyTables();
  return { store: new PostgresClientStore({ db }), unitOfWork: new PostgresUnitOfWork({ db }), close };
});

registeredClientsContract('PostgresRegisteredClients, embedded', async () => {
  const db = await emptyTables();
  return { store: new PostgresRegisteredClients({ db }), unitOfWork: new PostgresUnitOfWork({ db }), close };
});

clientSourceContract('PostgresClientSource, embedded', async () => {
  const db = await emptyTables();
  const store = new PostgresClientStore({ db });
  const pollMs = { withSignal: 20, without: 20 };
  const source = new PostgresClientSource({
    store,
    clock: systemClock,
    signal: noWakeUp,
    pollMs,
  });
  return { source, addsIds: true, put: putClients(new PostgresUnitOfWork({ db }), store), close };
});

schemaContract('PostgresSchema, embedded', async () => {
  const db = await emptySchema();
  return { schema: new PostgresSchema({ db }), another: async () => new PostgresSchema({ db }), close };
});

expiredRowsContract('PostgresExpiredRows, embedded', async () => {
  const db = await emptyTables();
  const clock = createManualClock();
  let made = 0;
  return {
    rows: new PostgresExpiredRows({ db, outboxRetentionMs: 0, failedRetentionMs: 0 }),
    fill: async (count, expiresAt) => {
      const store = new PostgresRevocationStore({ db, clock });
      for (let index = 0; index < count; index++) await store.revoke([`jti:${made++}`], expiresAt);
    },
    count: async () => Number((await db('revocations').count().first())?.count),
    close,
  };
});
