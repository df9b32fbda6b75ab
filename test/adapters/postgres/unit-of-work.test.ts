import { expect, test } from '@jest/globals';
import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { PostgresConsentStore } from '../../../adapters/postgres/consent-store.ts';
import { PostgresOutbox } from '../../../adapters/postgres/outbox.ts';
import { PostgresRevocationStore } from '../../../adapters/postgres/revocation-store.ts';
import { PostgresSignInHistory } from '../../../adapters/postgres/sign-in-history.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { systemClock as clock } from '../../../provider/lib/clock.ts';
import { sampleAccount } from '../../contract/account-store.ts';
import { sampleEvent } from '../../contract/outbox.ts';
import { sampleSignIn } from '../../contract/sign-in-history.ts';
import { unitOfWorkContract } from '../../contract/unit-of-work.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

unitOfWorkContract('PostgresUnitOfWork', async () => {
  const { knex, close } = openPool();
  return {
    unitOfWork: new PostgresUnitOfWork({ db: knex }),
    accounts: new PostgresAccountStore({ db: knex }),
    consents: new PostgresConsentStore({ db: knex }),
    outbox: new PostgresOutbox({ db: knex }),
    denylist: new PostgresRevocationStore({ db: knex, clock }),
    history: new PostgresSignInHistory({ db: knex }),
    close,
  };
});

test('work that ignores the error of a failed write is not committed', async () => {
  const { knex } = openPool();
  const account = sampleAccount();
  const event = sampleEvent();
  const run = new PostgresUnitOfWork({ db: knex }).run(async ({ accounts, outbox }) => {
    await accounts.insert(account);
    await outbox.append({ ...event, type: null as never }).catch(() => {});
    return 'done';
  });
  await expect(run).rejects.toMatchObject({ code: '23502' });
  expect(await new PostgresAccountStore({ db: knex }).findById(account.id)).toBeUndefined();
});

test('a value that Postgres cannot store is a bad request', async () => {
  const { knex } = openPool();
  const insert = new PostgresAccountStore({ db: knex }).insert(sampleAccount({ email: 'a\0b@example.com' }));
  await expect(insert).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a unit of work needs only one connection', async () => {
  const { knex } = openPool(1);
  const account = sampleAccount();
  await new PostgresUnitOfWork({ db: knex }).run(async ({ accounts, outbox }) => {
    await accounts.insert(account);
    await outbox.append(sampleEvent({ subject: account.id }));
  });
  expect(await new PostgresAccountStore({ db: knex }).findById(account.id)).toEqual(account);
});

test('a sign-in does not wait for a change of its account that is not committed, and counts as earlier', async () => {
  const { knex } = openPool();
  const [unitOfWork, accounts] = [
    new PostgresUnitOfWork({ db: knex }),
    new PostgresAccountStore({ db: knex }),
  ];
  const account = sampleAccount();
  await accounts.insert(account);
  const record = () => {
    const event = sampleEvent({ subject: account.id });
    return unitOfWork.recordSignIn(account, event, sampleSignIn({ accountId: account.id }));
  };
  const disable = { state: 'disabled', raiseTokenVersion: true } as const;
  const during = await unitOfWork.run(async (stores) => {
    await stores.accounts.update(account.id, disable, clock.now());
    return record();
  });
  expect(during).toBe(true);
  expect(await record()).toBe(false);
  expect((await accounts.findById(account.id))?.tokenVersion).toBe(account.tokenVersion + 1);
});

test('each store is created once in a transaction, and all stores can be listed', async () => {
  const { knex } = openPool();
  await new PostgresUnitOfWork({ db: knex }).run(async (stores) => {
    const { accounts, outbox } = stores;
    expect(stores.accounts).toBe(accounts);
    expect(stores.outbox).toBe(outbox);
    const getters = Object.entries(Object.getOwnPropertyDescriptors(stores)).filter(([, { get }]) => get);
    expect(getters).toHaveLength(15);
    expect(Object.keys(stores).sort()).toEqual([
      ...[
        'accounts',
        'addressChanges',
        'announcements',
        'clientSessions',
        'clientTokenVersions',
        'clients',
        'consents',
      ],
      ...['denylist', 'factorRemovals', 'logouts', 'mails', 'oneTimeTokens', 'outbox', 'passkeys'],
      ...['registeredClients', 'secondFactors'],
    ]);
  });
});
