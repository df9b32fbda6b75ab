import { beforeEach, describe, expect, test } from '@jest/globals';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import { type CachedDenylist, createCachedDenylist } from '../../provider/revocation/cached-denylist.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemoryRevocationCache } from '../support/memory/revocation-cache.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { waitFor } from '../support/wait-for.ts';

/** A copy that can fail and counts its calls. */
class Copy extends MemoryRevocationCache {
  failing = false;
  full = false;
  asked = 0;
  onPut: (() => void) | undefined;

  override async anyRevoked(keys: RevocationKey[]) {
    this.asked += 1;
    if (this.failing) throw new Error('cut off');
    return super.anyRevoked(keys);
  }

  override async put(...args: Parameters<MemoryRevocationCache['put']>) {
    if (this.failing || this.full) throw new Error('cut off');
    await super.put(...args);
    this.onPut?.();
  }

  override async begin() {
    if (this.failing) throw new Error('cut off');
    return super.begin();
  }
}

class Lasting extends MemoryRevocationStore {
  asked = 0;
  failing = false;
  /** For each read, how many seconds back it started. Undefined for a read of everything. */
  readings: (number | undefined)[] = [];

  override async inForce(page: Parameters<MemoryRevocationStore['inForce']>[0]) {
    if (page.after === undefined) this.readings.push(page.recentSeconds);
    if (this.failing) throw new Error('away');
    return super.inForce(page);
  }

  override async anyRevoked(keys: RevocationKey[]) {
    this.asked += 1;
    if (this.failing) throw new Error('away');
    return super.anyRevoked(keys);
  }
}

let clock: ManualClock;
let lasting: Lasting;
let copy: Copy;
let trusted: boolean[];
let denylist: CachedDenylist;
/** The denylist of another process. */
let other: CachedDenylist;

const create = (over: Copy) =>
  createCachedDenylist({
    store: lasting,
    cache: over,
    clock,
    intervalMs: 1,
    logger: { info: () => {}, warn: () => {} },
    metrics: { denylistCopyTrusted: { set: (value) => void trusted.push(value === 1) } },
  });
const until = () => clock.now() + 900_000;

beforeEach(async () => {
  clock = createManualClock();
  lasting = new Lasting({ clock });
  copy = new Copy({ clock });
  trusted = [];
  denylist = create(copy);
  other = create(copy);
});

test('the store is asked until everything is copied, then only the copy is asked', async () => {
  await lasting.revoke(['jti:before'], until());
  expect(await denylist.anyRevoked(['jti:before'])).toBe(true);
  expect([lasting.asked, copy.asked]).toEqual([1, 0]);
  await denylist.fillNow();
  expect(await denylist.anyRevoked(['jti:before'])).toBe(true);
  expect(await denylist.anyRevoked(['jti:other'])).toBe(false);
  expect([lasting.asked, copy.asked]).toEqual([1, 2]);
  expect(trusted).toEqual([true]);
});

test('more than a page is copied', async () => {
  const keys = Array.from({ length: 1203 }, (_, index): RevocationKey => `jti:${index}`);
  await lasting.revoke(keys, until());
  await denylist.fillNow();
  for (const key of keys) expect(await denylist.anyRevoked([key])).toBe(true);
  expect(lasting.asked).toBe(0);
});

test('a revocation is in force in every process when it has resolved', async () => {
  await Promise.all([denylist.fillNow(), other.fillNow()]);
  await denylist.revoke(['family:a'], until());
  expect(await other.anyRevoked(['family:a'])).toBe(true);
  expect(lasting.asked).toBe(0);
});

test('a copy that lost its data accepts no token: it is not asked until it is complete again', async () => {
  await denylist.fillNow();
  await denylist.revoke(['jti:a'], until());
  copy.loseData();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(1);
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(2);
  await denylist.fillNow();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(2);
  expect(trusted).toEqual([true, false, true]);
});

test('a copy that returns with old data after a lost connection accepts no token', async () => {
  await denylist.fillNow();
  copy.failing = true;
  denylist.markStale('its connection was lost');
  await other.revoke(['jti:a'], until());
  copy.failing = false;
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  await denylist.fillNow();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(1);
});

test('other processes copy a revocation that this process could not copy', async () => {
  const [cut, same] = [new Copy({ clock }), copy];
  cut.failing = true;
  const alone = create(cut);
  await other.fillNow();
  await alone.revoke(['jti:a'], until());
  expect(await alone.anyRevoked(['jti:a'])).toBe(true);
  await other.fillNow();
  expect(await same.anyRevoked(['jti:a'])).toBe(true);
});

test('a copy that fails is not asked again until it is complete again', async () => {
  await denylist.fillNow();
  copy.failing = true;
  expect(await denylist.anyRevoked(['jti:a'])).toBe(false);
  expect(await denylist.anyRevoked(['jti:a'])).toBe(false);
  expect(copy.asked).toBe(1);
});

test('a copy that can be read but not written is not trusted, because it may lack revocations of other processes', async () => {
  await denylist.fillNow();
  await lasting.revoke(['jti:a'], until());
  copy.full = true;
  await denylist.fillNow();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect([lasting.asked, copy.asked]).toEqual([1, 0]);
});

test('a copy that becomes stale during the copying is not trusted afterwards', async () => {
  await lasting.revoke(['jti:a'], until());
  copy.onPut = () => denylist.markStale('its connection was lost');
  await denylist.fillNow();
  expect(trusted).toEqual([]);
  copy.onPut = undefined;
  await denylist.fillNow();
  expect(trusted).toEqual([true]);
});

describe('while the store cannot be read', () => {
  const tenSeconds = 10_000;

  beforeEach(async () => {
    await denylist.revoke(['jti:a'], until());
    await denylist.fillNow();
    lasting.failing = true;
  });

  test('only the copy is asked for ten seconds', async () => {
    clock.advance(tenSeconds);
    await denylist.fillNow();
    expect([await denylist.anyRevoked(['jti:a']), await denylist.anyRevoked(['jti:b'])]).toEqual([
      true,
      false,
    ]);
    expect(lasting.asked).toBe(0);
    expect(trusted).toEqual([true]);
  });

  test('after ten seconds no token is accepted, and all requests share one read of the store', async () => {
    clock.advance(tenSeconds + 1);
    const { length } = lasting.readings;
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => denylist.anyRevoked(['jti:b'])));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect([lasting.readings.length - length, lasting.asked]).toEqual([1, 0]);
    expect(trusted).toEqual([true, false]);
  });

  test('the first successful read of missed revocations makes the copy trusted again, without a full copy', async () => {
    clock.advance(50_000);
    lasting.failing = false;
    // Another process, which can't reach the copy, revokes this key.
    await lasting.revoke(['jti:missed'], until());
    lasting.failing = true;
    clock.advance(50_000);
    await expect(denylist.anyRevoked(['jti:missed'])).rejects.toThrow('away');
    lasting.failing = false;
    const { length } = lasting.readings;
    const answers = ['jti:missed', 'jti:b', 'jti:a'].map((key) =>
      denylist.anyRevoked([key as RevocationKey]),
    );
    expect(await Promise.all(answers)).toEqual([true, false, true]);
    expect(lasting.readings.slice(length)).toEqual([160]);
    expect(lasting.asked).toBe(0);
    expect(trusted).toEqual([true, false, true]);
  });

  test('a copy that fails in this time is not asked, and no token is accepted', async () => {
    copy.failing = true;
    await expect(denylist.anyRevoked(['jti:a'])).rejects.toThrow('away');
    copy.failing = false;
    await expect(denylist.anyRevoked(['jti:b'])).rejects.toThrow('away');
    expect(trusted).toEqual([true, false]);
  });
});

test('after the clock is set back everything is read, because the missed time is unknown', async () => {
  await denylist.fillNow();
  expect(lasting.readings).toHaveLength(1);
  clock.advance(-1);
  expect(await denylist.anyRevoked(['jti:b'])).toBe(false);
  expect(lasting.readings).toHaveLength(2);
  expect(lasting.readings[1]).toBeUndefined();
});

describe('when neither the store nor the copy can be read', () => {
  test('no token is accepted', async () => {
    await denylist.fillNow();
    copy.failing = true;
    lasting.failing = true;
    await expect(denylist.anyRevoked(['jti:a'])).rejects.toThrow('away');
  });
});

test('after its start it makes the copy by itself, and again after each markStale', async () => {
  denylist.start();
  await waitFor(() => trusted.at(-1) === true);
  copy.loseData();
  await denylist.anyRevoked(['jti:a']);
  await waitFor(() => trusted.length === 3 && trusted.at(-1) === true);
  await denylist.stop();
});
