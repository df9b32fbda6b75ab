import { beforeEach, describe, expect, test } from '@jest/globals';
import { createWriteMail } from '../../provider/accounts/mails.ts';
import { createOneTimeTokens } from '../../provider/accounts/one-time-tokens.ts';
import { createRecovery, type Recovery } from '../../provider/accounts/recovery.ts';
import { openMail } from '../../provider/lib/mail-content.ts';
import type { Account } from '../../provider/ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryMails } from '../support/memory/mails.ts';
import { MemoryOneTimeTokens } from '../support/memory/one-time-tokens.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';
import { createWorld } from './account-world.ts';

const newPassword = 'a longer walk along the river';
const invalid = { code: 'invalid_one_time_token' };

let database: MemoryDatabase;
let unitOfWork: UnitOfWork;
let world: ReturnType<typeof createWorld>;
let recovery: Recovery;
let account: Account;
/** The calls of stores inside of transactions, without their arguments. */
let calls: string[];
let isAllowed: boolean;
let takenBack: string[];
/** Runs while the new password is hashed. */
let whileHashing: () => Promise<unknown>;

/** Notes each call of a store. */
const watched = (stores: TransactionStores): TransactionStores =>
  new Proxy(stores, {
    get: (target, name) =>
      new Proxy(Reflect.get(target, name) as object, {
        get: (store, method) => {
          const found = Reflect.get(store, method, store);
          return (...given: unknown[]) => {
            calls.push(`${String(name)}.${String(method)}`);
            return Reflect.apply(found, store, given);
          };
        },
      }),
  });

beforeEach(async () => {
  world = createWorld();
  database = new MemoryDatabase();
  calls = [];
  takenBack = [];
  isAllowed = true;
  whileHashing = async () => {};
  const memory = new MemoryUnitOfWork({ database, clock: world.clock });
  unitOfWork = { run: (work) => memory.run((stores) => work(watched(stores))) };
  const { keys, clock, newEvent, passwordRules, logger } = world;
  recovery = createRecovery({
    accounts: new MemoryAccountStore({ database }),
    unitOfWork,
    oneTimeTokens: createOneTimeTokens({
      oneTimeTokens: new MemoryOneTimeTokens({ database }),
      keys,
      clock,
    }),
    passwords: {
      hash: async (password) => {
        await whileHashing();
        return world.passwords.hash(password);
      },
    },
    passwordRules,
    rateLimits: {
      askForMail: (_action, _email, work) => work(isAllowed),
      tryMailedCode: (work) => work(),
      passwordReplaced: async ({ email }) => void takenBack.push(email),
    },
    newEvent,
    writeMail: createWriteMail({ keys, clock }),
    issuer: 'https://login.example.com/id',
    clock,
    logger,
  });
  account = sampleAccount({ email: 'Jane@Example.com', emailVerified: false });
  await unitOfWork.run(({ accounts }) => accounts.insert(account));
  calls = [];
});

const mailsOf = async () => new MemoryMails({ database }).claim(100, world.clock.now(), 1);
const change = (changes: Parameters<TransactionStores['accounts']['update']>[1]) =>
  unitOfWork.run(({ accounts }) => accounts.update(account.id, changes, world.clock.now()));

/** Asks, and gives the flow, the token and the code. */
async function ask() {
  const { flow } = await recovery.request({
    email: 'jane@example.com',
    signIn: { uid: 'i', clientId: 'web' },
  });
  const [mail] = await mailsOf();
  if (!mail) throw new Error('no mail');
  const content = openMail(world.keys, mail.id, mail.content);
  const { url, code } = content.model as { url: string; code: string };
  return { mail, content, flow, code, token: new URL(url).searchParams.get('token') ?? '', url };
}

describe('asking', () => {
  test('writes a mail to the stored address, for 30 minutes, with a link below the issuer', async () => {
    const { mail, content, url, code } = await ask();
    expect(mail).toMatchObject({ kind: 'recover', accountId: account.id });
    expect(mail.expiresAt - mail.createdAt).toBe(1_800_000);
    expect(content).toMatchObject({ to: 'Jane@Example.com', model: { minutes: 30 } });
    expect(url).toMatch(/^https:\/\/login\.example\.com\/id\/recover\/password\?token=[\w-]{43}$/);
    expect(mail.content).not.toContain(code);
  });

  test('an address that gets no mail costs the same calls of the stores, and leaves nothing', async () => {
    await recovery.request({ email: account.email });
    const known = calls;
    expect(known).toEqual(['oneTimeTokens.replace', 'mails.add']);
    const rows = () => database.use(({ oneTimeTokens, mails }) => [oneTimeTokens.size, mails.size]);
    expect(await rows()).toEqual([1, 1]);
    calls = [];
    await recovery.request({ email: 'stranger@example.com' });
    expect(calls).toEqual(known);
    isAllowed = false;
    calls = [];
    await recovery.request({ email: account.email });
    expect(calls).toEqual(known);
    isAllowed = true;
    await change({ state: 'disabled' });
    calls = [];
    await recovery.request({ email: account.email });
    expect(calls).toEqual(known);
    expect(await rows()).toEqual([1, 1]);
  });

  test('an address that got too many mails keeps the link of the last one', async () => {
    const { token } = await ask();
    isAllowed = false;
    await recovery.request({ email: account.email });
    expect(await recovery.find({ token })).toEqual({ email: account.email });
  });

  test('a store that fails fails for an unknown address too', async () => {
    unitOfWork.run = async () => {
      throw new Error('away');
    };
    for (const email of [account.email, 'stranger@example.com'])
      await expect(recovery.request({ email })).rejects.toThrow('away');
  });
});

describe('setting the password', () => {
  test('gives the account with a new token version and a verified address, and the sign-in that waits', async () => {
    const { token } = await ask();
    const { account: changed, signIn } = await recovery.setPassword({ proof: { token }, newPassword });
    expect(changed).toMatchObject({
      id: account.id,
      emailVerified: true,
      tokenVersion: account.tokenVersion + 1,
    });
    expect(signIn).toEqual({ uid: 'i', clientId: 'web' });
    expect((await world.passwords.verify(newPassword, changed.passwordHash ?? '')).matches).toBe(true);
    expect(takenBack).toEqual([account.email]);
  });

  test.each([
    ['signed out everywhere', { raiseTokenVersion: true }],
    ['disabled', { state: 'disabled' }],
  ] as const)('changes nothing if the account is %s while the password is hashed', async (_, changes) => {
    const { token } = await ask();
    whileHashing = () => change(changes);
    await expect(recovery.setPassword({ proof: { token }, newPassword })).rejects.toMatchObject(invalid);
    const now = await new MemoryAccountStore({ database }).findById(account.id);
    expect(now?.passwordHash).toBe(account.passwordHash);
    expect(takenBack).toEqual([]);
  });

  test('a mailbox that the account does not have any more proves nothing', async () => {
    const { token } = await ask();
    await database.use(({ accounts }) =>
      accounts.set(account.id, { ...account, email: 'elsewhere@example.com' }),
    );
    await expect(recovery.setPassword({ proof: { token }, newPassword })).rejects.toMatchObject(invalid);
  });

  test('hashes nothing for a token that is wrong, or for a password that breaks the rules', async () => {
    let hashed = 0;
    whileHashing = async () => {
      hashed += 1;
    };
    const { token, flow } = await ask();
    for (const proof of [{ token: 'made up' }, { flow, code: 'BBBB-BBBB' }])
      await expect(recovery.setPassword({ proof, newPassword })).rejects.toMatchObject(invalid);
    for (const refused of ['short', account.email])
      await expect(recovery.setPassword({ proof: { token }, newPassword: refused })).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ pointer: '/newPassword', message: expect.any(String) }],
      });
    expect(hashed).toBe(0);
    await recovery.setPassword({ proof: { token }, newPassword });
  });

  test('does not take back wrong codes of a second factor, which only its code may do', async () => {
    await change({ hasSecondFactor: true });
    const { token } = await ask();
    const { account: changed } = await recovery.setPassword({ proof: { token }, newPassword });
    expect(changed.hasSecondFactor).toBe(true);
    expect(takenBack).toEqual([]);
  });
});
