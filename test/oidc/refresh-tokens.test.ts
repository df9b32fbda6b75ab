import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryFamilyStore } from '../../provider/adapters/memory/family-store.ts';
import { newId } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createRefreshTokens, type RefreshTokens } from '../../provider/oidc/refresh-tokens.ts';
import type { Family, Rotation } from '../../provider/ports/family-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const secrets = { first: 'a'.repeat(40), second: 'b'.repeat(40) };

/** Keeps what reached the store. */
class WatchedFamilyStore extends MemoryFamilyStore {
  readonly written: (Family | Rotation)[] = [];

  override async open(family: Family): Promise<boolean> {
    this.written.push(family);
    return super.open(family);
  }

  override async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    this.written.push(to);
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

async function opened(): Promise<string> {
  const value = tokens.generate(familyId);
  expect(await tokens.open(value, payload())).toBe(true);
  return value;
}

test('a token names its family, and 256 bits of it are a secret that is new each time', () => {
  const values = Array.from({ length: 20 }, () => tokens.generate(familyId));
  expect(new Set(values).size).toBe(20);
  for (const value of values) expect(value).toMatch(/^fam_[\w-]{22}\.[\w-]{65}$/);
});

test('the current one gives the payload, of the latest rotation', async () => {
  const first = await opened();
  expect(await tokens.find(first)).toEqual({ state: 'current', familyId, payload: payload() });
  const second = tokens.generate(familyId);
  expect(await tokens.rotate(first, second, payload({ rotations: 1 }))).toBe(true);
  expect(await tokens.find(second)).toMatchObject({ state: 'current', payload: { rotations: 1 } });
});

test('those spent before are known for ours, however long ago', async () => {
  const values = [await opened()];
  for (let round = 1; round <= 5; round += 1) {
    values.push(tokens.generate(familyId));
    await tokens.rotate(values[round - 1] ?? '', values[round] ?? '', payload());
  }
  for (const spent of values.slice(0, 5))
    expect(await tokens.find(spent)).toEqual({ state: 'spent', familyId, clientId: 'app' });
});

test('of parallel rotations one succeeds', async () => {
  const first = await opened();
  const successors = Array.from({ length: 10 }, () => tokens.generate(familyId));
  const won = await Promise.all(successors.map((next) => tokens.rotate(first, next, payload())));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(await tokens.find(successors[won.indexOf(true)] ?? '')).toMatchObject({ state: 'current' });
});

describe('nothing is found for', () => {
  test.each<[string, (value: string) => string]>([
    ['nothing', () => ''],
    ['a made-up secret', (value) => `${value.split('.')[0]}.${'A'.repeat(65)}`],
    [
      'a made-up secret with a proof of another',
      (value) => `${value.split('.')[0]}.${'A'.repeat(43)}${value.slice(-22)}`,
    ],
    ['a secret in another family', (value) => `${newId('fam')}.${value.split('.')[1]}`],
    ['more than a token', (value) => `${value}A`],
    ['less than a token', (value) => value.slice(0, -1)],
    ['the family alone', (value) => value.split('.')[0] ?? ''],
    ['another line behind it', (value) => `${value}\n`],
  ])('%s', async (_, change) => {
    expect(await tokens.find(change(await opened()))).toBeUndefined();
  });

  test('a token whose family expired, or was ended', async () => {
    const value = await opened();
    await families.end(familyId, clock.now() + 1000);
    expect(await tokens.find(value)).toBeUndefined();
    familyId = newId('fam');
    const other = await opened();
    clock.advance(3_600_000);
    expect(await tokens.find(other)).toBeUndefined();
  });

  test('what the store holds, presented as a secret', async () => {
    await opened();
    for (const record of families.written) {
      const hash = 'currentHash' in record ? record.currentHash : record.hash;
      expect(hash).toHaveLength(43);
      expect(await tokens.find(`${familyId}.${hash}${'A'.repeat(22)}`)).toBeUndefined();
    }
  });
});

test('a family that was ended first is not opened', async () => {
  await families.end(familyId, clock.now() + 1000);
  expect(await tokens.open(tokens.generate(familyId), payload())).toBe(false);
});

test('neither secret nor payload reaches the store', async () => {
  const first = await opened();
  const second = tokens.generate(familyId);
  await tokens.rotate(first, second, payload());
  const text = JSON.stringify(families.written);
  expect(families.written).toHaveLength(2);
  for (const value of [first, second]) expect(text).not.toContain(value.split('.')[1]?.slice(0, 43));
  expect(text).not.toContain('very-visible');
});

describe('when the server secrets change', () => {
  test('tokens of an older secret are still good, and go on under the new one', async () => {
    const first = await opened();
    const after = under(secrets.second, secrets.first);
    expect(await after.find(first)).toMatchObject({ state: 'current' });
    const second = after.generate(familyId);
    expect(await after.rotate(first, second, payload())).toBe(true);
    expect(await after.find(first)).toMatchObject({ state: 'spent' });
    const later = under(secrets.second);
    expect(await later.find(second)).toMatchObject({ state: 'current' });
    expect(await later.find(first)).toBeUndefined();
  });

  test('those of a dropped one are not', async () => {
    expect(await under(secrets.second).find(await opened())).toBeUndefined();
  });
});
