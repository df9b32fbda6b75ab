import { beforeEach, expect, test } from '@jest/globals';
import { createOneTimeTokens, type OneTimeTokens } from '../../provider/accounts/one-time-tokens.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Account } from '../../provider/ports/account-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryOneTimeTokens } from '../support/memory/one-time-tokens.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const secret = 'a'.repeat(43);
const invalid = { code: 'invalid_one_time_token' };

let clock: ManualClock;
let database: MemoryDatabase;
let unitOfWork: UnitOfWork;
let tokens: OneTimeTokens;
let account: Account;

const service = (...secrets: [string, ...string[]]) =>
  createOneTimeTokens({
    oneTimeTokens: new MemoryOneTimeTokens({ database }),
    keys: createServerKeys(secrets),
    clock,
  });

beforeEach(async () => {
  clock = createManualClock();
  database = new MemoryDatabase();
  unitOfWork = new MemoryUnitOfWork({ database, clock });
  tokens = service(secret);
  account = sampleAccount();
  await unitOfWork.run(({ accounts }) => accounts.insert(account));
});

const create = (flow = tokens.newFlow()) =>
  unitOfWork.run(async (stores) => ({
    flow,
    ...(await tokens.createLinkAndCode(stores, {
      purpose: 'recover',
      account,
      address: account.email,
      details: { uid: 'i1' },
      flow,
    })),
  }));
const find = (token: string) => tokens.find('recover', { token });
const spend = async (token: string) => {
  const found = await find(token);
  return unitOfWork.run((stores) => tokens.spend(stores, found));
};

test('a token is found again and again, and is spent once', async () => {
  const { token } = await create();
  const found = await find(token);
  expect(found).toMatchObject({ accountId: account.id, address: account.email, details: { uid: 'i1' } });
  expect(await find(token)).toEqual(found);
  const spends = Array.from({ length: 5 }, () => unitOfWork.run((stores) => tokens.spend(stores, found)));
  const outcomes = await Promise.allSettled(spends);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(outcomes.find(({ status }) => status === 'fulfilled')).toMatchObject({ value: { id: account.id } });
  await expect(find(token)).rejects.toMatchObject(invalid);
});

test('the token has 256 bits, and the store holds neither it nor the code', async () => {
  const { token, code, flow } = await create();
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
  const stored = JSON.stringify(await database.use(({ oneTimeTokens }) => [...oneTimeTokens.values()]));
  expect(stored).toContain(account.id);
  for (const text of [token, code, code.replace('-', ''), flow, 'i1']) expect(stored).not.toContain(text);
});

test('a code counts as people type it, and only with its flow', async () => {
  const { code, flow } = await create();
  for (const typed of [code, code.toLowerCase().replace('-', ''), ` ${code.replace('-', ' ')} `])
    expect(await tokens.find('recover', { flow, code: typed })).toMatchObject({ accountId: account.id });
  const elsewhere = { flow: tokens.newFlow(), code };
  await expect(tokens.find('recover', elsewhere)).rejects.toMatchObject(invalid);
});

test('five wrong codes end the code and not the link', async () => {
  const { token, code, flow } = await create();
  for (let time = 0; time < 5; time++)
    await expect(tokens.find('recover', { flow, code: 'BBBB-BBBB' })).rejects.toMatchObject(invalid);
  await expect(tokens.find('recover', { flow, code })).rejects.toMatchObject(invalid);
  expect(await spend(token)).toMatchObject({ id: account.id });
});

test('a newer mail ends the token of the earlier one', async () => {
  const first = await create();
  const second = await create();
  await expect(find(first.token)).rejects.toMatchObject(invalid);
  await expect(tokens.find('recover', first)).rejects.toMatchObject(invalid);
  expect(await spend(second.token)).toMatchObject({ id: account.id });
});

test('a token is valid for its purpose only, and for 30 minutes', async () => {
  const { token } = await create();
  await expect(tokens.find('invite', { token })).rejects.toMatchObject(invalid);
  clock.advance(30 * 60_000 - 1);
  const found = await find(token);
  clock.advance(1);
  await expect(find(token)).rejects.toMatchObject(invalid);
  await expect(unitOfWork.run((stores) => tokens.spend(stores, found))).rejects.toMatchObject(invalid);
});

test('a new token version and a disabled account end the token', async () => {
  for (const change of [{ raiseTokenVersion: true }, { state: 'disabled' as const }]) {
    const { token } = await create();
    await unitOfWork.run(({ accounts }) => accounts.update(account.id, change, clock.now()));
    await expect(spend(token)).rejects.toMatchObject(invalid);
    account = (await unitOfWork.run(({ accounts }) => accounts.findById(account.id))) as Account;
  }
});

test('the undo of a change of address outlives a new password and a second change', async () => {
  const undo = (address: string) =>
    unitOfWork.run((stores) => tokens.createLink(stores, { purpose: 'undo-address', account, address }));
  const first = await undo('one@example.com');
  await undo('two@example.com');
  await unitOfWork.run(({ accounts }) =>
    accounts.update(account.id, { raiseTokenVersion: true }, clock.now()),
  );
  clock.advance(72 * 3_600_000 - 1);
  const found = await tokens.find('undo-address', { token: first });
  expect(found.address).toBe('one@example.com');
  expect(await unitOfWork.run((stores) => tokens.spend(stores, found))).toMatchObject({ id: account.id });
});

test('an address without an account has a token too', async () => {
  const link = (address: string) =>
    unitOfWork.run((stores) => tokens.createLink(stores, { purpose: 'verify-address', address }));
  const first = await link('new@example.com');
  const token = await link('New@Example.com');
  await expect(tokens.find('verify-address', { token: first })).rejects.toMatchObject(invalid);
  const found = await tokens.find('verify-address', { token });
  expect(found).toMatchObject({ accountId: undefined, address: 'New@Example.com' });
  expect(await unitOfWork.run((stores) => tokens.spend(stores, found))).toBeUndefined();
  await expect(tokens.find('verify-address', { token })).rejects.toMatchObject(invalid);
});

test('a revoked token is not found', async () => {
  const { token } = await create();
  const request = { purpose: 'recover' as const, account, address: account.email };
  await unitOfWork.run((stores) => tokens.revoke(stores, request));
  await expect(find(token)).rejects.toMatchObject(invalid);
});

test('tokens and codes stay valid while the server secret is replaced', async () => {
  const { token, code, flow } = await create();
  tokens = service('b'.repeat(43), secret);
  expect(await tokens.find('recover', { flow, code })).toMatchObject({ details: { uid: 'i1' } });
  expect(await spend(token)).toMatchObject({ id: account.id });
});
