import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createRefreshTokens, type RefreshTokens } from '../../provider/oidc/storage/refresh-tokens.ts';
import type { Family, Rotation } from '../../provider/ports/family-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryFamilyStore } from '../support/memory/family-store.ts';

const secrets = { first: 'a'.repeat(40), second: 'b'.repeat(40) };

/** Records the values that are stored. */
class WatchedFamilyStore extends MemoryFamilyStore {
  readonly written: (Family | Rotation)[] = [];

  override async open(family: Family): Promise<boolean> {
    this.written.push(family);
    return super.open(family);
  }

  override async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    this.written.push({ ...to });
    return super.rotate(familyId, from, to);
  }
}

let clock: ManualClock;
let families: WatchedFamilyStore;
let tokens: RefreshTokens;
let familyId: string;
const under = (...used: [string, ...string[]]) =>
  createRefreshTokens({ families, clock, keys: createServerKeys(used) });
const payload = (changes: object = {}) => ({
  accountId: 'user_A',
  clientId: 'app',
  exp: clock.now() / 1000 + 3600,
  scope: 'openid very-visible',
  ...changes,
});
beforeEach(() => {
  clock = createManualClock();
  families = new WatchedFamilyStore({ clock });
  tokens = under(secrets.first);
  familyId = newId('fam');
});

/** Exchanges `from` for a successor, as the grant does. Returns undefined if another call was first. */
async function spend(from: string, changes: object = {}, by = tokens): Promise<string | undefined> {
  const found = await by.find(from);
  if (found?.state !== 'current') throw new Error('not current');
  const to = by.successorOf(found.token);
  const keptResponse = { text: `the response that names ${to}`, seconds: 10 };
  const rotation = { found, to, payload: payload(changes), keptResponse };
  return (await by.rotate(rotation)) ? to : undefined;
}

async function spent(from: string, changes: object = {}, by = tokens): Promise<string> {
  const to = await spend(from, changes, by);
  if (to === undefined) throw new Error('was not spent');
  return to;
}

async function opened(): Promise<string> {
  const value = tokens.generate(familyId);
  expect(await tokens.open(value, payload())).toBe(true);
  return value;
}

test('a token contains its family id and a new secret of 256 bits', () => {
  const values = Array.from({ length: 20 }, () => tokens.generate(familyId));
  expect(new Set(values).size).toBe(20);
  for (const value of values) expect(value).toMatch(/^fam_[\w-]{22}\.0~[\w-]{65}$/);
});

test('the current token returns the payload of the latest rotation', async () => {
  const first = await opened();
  expect(await tokens.find(first)).toMatchObject({
    state: 'current',
    family: { id: familyId },
    payload: payload(),
  });
  const second = await spent(first, { rotations: 1 });
  expect(second).toMatch(/^fam_[\w-]{22}\.1~[\w-]{65}$/);
  expect(await tokens.find(second)).toMatchObject({ state: 'current', payload: { rotations: 1 } });
});

describe('a spent token', () => {
  test('returns its answer and its successor while the successor is unused and the answer is kept', async () => {
    const first = await opened();
    const second = await spent(first, { rotations: 1 });
    const family = expect.objectContaining({ id: familyId, clientId: 'app' });
    const token = expect.objectContaining({ value: first });
    const known = { state: 'spent', token, family, spentAt: clock.now() };
    const storedResponse = `the response that names ${second}`;
    clock.advance(9_999);
    expect(await tokens.find(first)).toEqual({
      ...known,
      successor: payload({ rotations: 1, exp: expect.anything() }),
      storedResponse,
    });
    clock.advance(1);
    expect(await tokens.find(first)).toMatchObject({ ...known, storedResponse: undefined });
    await spent(second);
    expect(await tokens.find(first)).toEqual(known);
  });

  test('is recognised after any time, but the time of its use is not always known', async () => {
    const values = [await opened()];
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      times.push(clock.now());
      values.push(await spent(values[round] ?? ''));
      clock.advance(20_000);
    }
    for (const [round, value] of values.slice(0, 5).entries()) {
      const spentAt = round === 0 ? undefined : times[round];
      expect(await tokens.find(value)).toMatchObject({
        state: 'spent',
        family: { id: familyId, clientId: 'app' },
      });
      expect((await tokens.find(value)) as object).toHaveProperty('spentAt', spentAt);
    }
  });

  test('is needed to decrypt the stored answer; the family id is not enough', async () => {
    const first = await opened();
    await spent(first);
    const stored = await families.find(familyId);
    expect(stored?.storedResponse).toBeDefined();
    const keys = createServerKeys([secrets.first]);
    // The server secrets alone don't decrypt it.
    for (const context of [`answer ${familyId}`, `refresh token ${familyId}`])
      expect(keys.open(context, stored?.storedResponse ?? '')).toBeUndefined();
  });
});

test('one of parallel rotations succeeds, and its answer is kept', async () => {
  const first = await opened();
  const found = await tokens.find(first);
  if (found?.state !== 'current') throw new Error('not current');
  const successors = Array.from({ length: 10 }, () => tokens.successorOf(found.token));
  const won = await Promise.all(
    successors.map((to) =>
      tokens.rotate({ found, to, payload: payload(), keptResponse: { text: to, seconds: 10 } }),
    ),
  );
  expect(won.filter(Boolean)).toHaveLength(1);
  const winner = successors[won.indexOf(true)] ?? '';
  expect(await tokens.find(winner)).toMatchObject({ state: 'current' });
  expect(await tokens.find(first)).toMatchObject({ state: 'spent', storedResponse: winner });
});

const familyOf = (value: string) => value.split('.')[0] ?? '';

describe('no token is found for', () => {
  test.each<[string, (value: string) => string]>([
    ['nothing', () => ''],
    ['an invented secret', (value) => `${familyOf(value)}.0~${'A'.repeat(65)}`],
    [
      'an invented secret with the proof of another secret',
      (value) => `${familyOf(value)}.0~${'A'.repeat(43)}${value.slice(-22)}`,
    ],
    ['a secret in another family', (value) => value.replace(familyOf(value), newId('fam'))],
    ['a token with an extra character', (value) => `${value}A`],
    ['a token without its last character', (value) => value.slice(0, -1)],
    ['a secret with another count', (value) => value.replace('.0~', '.1~')],
    ['a count with a leading zero', (value) => value.replace('.0~', '.00~')],
    ['the family id only', (value) => familyOf(value)],
    ['a token with a line break at its end', (value) => `${value}\n`],
  ])('%s', async (_, change) => {
    expect(await tokens.find(change(await opened()))).toBeUndefined();
  });

  test('an expired or ended family, except that the token is recognised', async () => {
    const value = await opened();
    await families.end(familyId, clock.now() + 1000);
    expect(await tokens.find(value)).toMatchObject({ state: 'gone' });
    familyId = newId('fam');
    const other = await opened();
    clock.advance(3_600_000);
    expect(await tokens.find(other)).toMatchObject({ state: 'gone', token: { familyId } });
  });

  test('a stored hash as a secret', async () => {
    await opened();
    for (const record of families.written) {
      const hash = 'currentHash' in record ? record.currentHash : record.hash;
      expect(hash).toHaveLength(43);
      expect(await tokens.find(`${familyId}.0~${hash}${'A'.repeat(22)}`)).toBeUndefined();
    }
  });
});

test('a family that was ended before cannot be opened', async () => {
  await families.end(familyId, clock.now() + 1000);
  expect(await tokens.open(tokens.generate(familyId), payload())).toBe(false);
});

test('secret, payload and answer are not stored in plain text', async () => {
  const first = await opened();
  const second = await spent(first);
  const text = JSON.stringify(families.written);
  expect(families.written).toHaveLength(2);
  for (const value of [first, second]) expect(text).not.toContain(value.split('~')[1]?.slice(0, 43));
  expect(text).not.toContain('the response that names');
  expect(text).not.toContain('very-visible');
});

describe('a token whose rotation the store has lost', () => {
  /** Returns the token of a lost rotation, as after a Redis failover, and the token before it. */
  async function forgotten() {
    const first = await opened();
    const found = await tokens.find(first);
    if (found?.state !== 'current') throw new Error('not current');
    return { first, lost: tokens.successorOf(found.token) };
  }

  test('is recognised as such, and the token before is still current', async () => {
    const { first, lost } = await forgotten();
    const found = await tokens.find(lost);
    expect(found).toMatchObject({ state: 'forgotten', family: { id: familyId, clientId: 'app' } });
    expect(await tokens.find(first)).toMatchObject({ state: 'current' });
    if (!found) throw new Error('not found');
    expect(await tokens.find(tokens.successorOf(found.token))).toMatchObject({ state: 'forgotten' });
  });

  test('is recognised after an equal number of rotations, and counts as spent only after more', async () => {
    const { first, lost } = await forgotten();
    const second = await spent(first);
    expect(await tokens.find(lost)).toMatchObject({ state: 'forgotten' });
    expect(await tokens.find(second)).toMatchObject({ state: 'current' });
    await spent(second);
    expect(await tokens.find(lost)).toMatchObject({ state: 'spent' });
  });
});

test('a spent token returns the DPoP key that its family is bound to', async () => {
  const first = await opened();
  const bound = { jkt: 'a-thumbprint' };
  const second = await spent(first, bound);
  expect(await tokens.find(first)).toMatchObject({ state: 'spent', ...bound });
  await spent(second, bound);
  expect(await tokens.find(first)).toMatchObject({ state: 'spent', ...bound });
});

describe('when the server secrets change', () => {
  test('tokens of an older secret are still valid, and their successors use the new secret', async () => {
    const first = await opened();
    const after = under(secrets.second, secrets.first);
    expect(await after.find(first)).toMatchObject({ state: 'current' });
    const second = await spent(first, {}, after);
    expect(await after.find(first)).toMatchObject({
      state: 'spent',
      storedResponse: expect.stringContaining(second),
    });
    const later = under(secrets.second);
    expect(await later.find(second)).toMatchObject({ state: 'current' });
    expect(await later.find(first)).toBeUndefined();
  });

  test('tokens of a dropped secret are invalid', async () => {
    expect(await under(secrets.second).find(await opened())).toBeUndefined();
  });
});
