import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryDenylist } from '../../provider/adapters/memory/denylist.ts';
import { MemoryDenylistCopy } from '../../provider/adapters/memory/denylist-copy.ts';
import type { RevocationKey } from '../../provider/ports/denylist.ts';
import { type CopiedDenylist, createCopiedDenylist } from '../../provider/revocation/copied-denylist.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

/** A copy that can be made to fail, and counts what it is asked. */
class Copy extends MemoryDenylistCopy {
  failing = false;
  asked = 0;
  onPut: (() => void) | undefined;

  override async anyRevoked(keys: RevocationKey[]) {
    this.asked += 1;
    if (this.failing) throw new Error('cut off');
    return super.anyRevoked(keys);
  }

  override async put(...args: Parameters<MemoryDenylistCopy['put']>) {
    if (this.failing) throw new Error('cut off');
    await super.put(...args);
    this.onPut?.();
  }

  override async begin() {
    if (this.failing) throw new Error('cut off');
    return super.begin();
  }
}

class Lasting extends MemoryDenylist {
  asked = 0;
  failing = false;

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
let denylist: CopiedDenylist;
/** Another process's. */
let other: CopiedDenylist;

const create = (over: Copy) =>
  createCopiedDenylist({
    ...{ lasting, copy: over, intervalMs: 1 },
    logger: { info: () => {}, warn: () => {} },
    trusted: (is) => trusted.push(is),
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

test('what lasts is asked until everything was copied, and the copy alone from then on', async () => {
  await lasting.revoke(['jti:before'], until());
  expect(await denylist.anyRevoked(['jti:before'])).toBe(true);
  expect([lasting.asked, copy.asked]).toEqual([1, 0]);
  await denylist.copyNow();
  expect(await denylist.anyRevoked(['jti:before'])).toBe(true);
  expect(await denylist.anyRevoked(['jti:other'])).toBe(false);
  expect([lasting.asked, copy.asked]).toEqual([1, 2]);
  expect(trusted).toEqual([true]);
});

test('more than a page is copied', async () => {
  const keys = Array.from({ length: 1203 }, (_, index): RevocationKey => `jti:${index}`);
  await lasting.revoke(keys, until());
  await denylist.copyNow();
  for (const key of keys) expect(await denylist.anyRevoked([key])).toBe(true);
  expect(lasting.asked).toBe(0);
});

test('a revocation is in force in every process when it has resolved', async () => {
  await Promise.all([denylist.copyNow(), other.copyNow()]);
  await denylist.revoke(['family:a'], until());
  expect(await other.anyRevoked(['family:a'])).toBe(true);
  expect(lasting.asked).toBe(0);
});

test('a copy that lost its data lets nothing in: it is not asked until it was made anew', async () => {
  await denylist.copyNow();
  await denylist.revoke(['jti:a'], until());
  copy.loseData();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(1);
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(2);
  await denylist.copyNow();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(2);
  expect(trusted).toEqual([true, false, true]);
});

test('nor does one that comes back with old data, after its connection was lost', async () => {
  await denylist.copyNow();
  copy.failing = true;
  denylist.distrust('its connection was lost');
  await other.revoke(['jti:a'], until());
  copy.failing = false;
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  await denylist.copyNow();
  expect(await denylist.anyRevoked(['jti:a'])).toBe(true);
  expect(lasting.asked).toBe(1);
});

test('what this process could not copy others copy', async () => {
  const [cut, same] = [new Copy({ clock }), copy];
  cut.failing = true;
  const alone = create(cut);
  await other.copyNow();
  await alone.revoke(['jti:a'], until());
  expect(await alone.anyRevoked(['jti:a'])).toBe(true);
  await other.copyNow();
  expect(await same.anyRevoked(['jti:a'])).toBe(true);
});

test('a copy that fails is not asked again until it was made anew', async () => {
  await denylist.copyNow();
  copy.failing = true;
  expect(await denylist.anyRevoked(['jti:a'])).toBe(false);
  expect(await denylist.anyRevoked(['jti:a'])).toBe(false);
  expect(copy.asked).toBe(1);
});

test('one distrusted while it is copied is not trusted for having been copied', async () => {
  await lasting.revoke(['jti:a'], until());
  copy.onPut = () => denylist.distrust('its connection was lost');
  await denylist.copyNow();
  expect(trusted).toEqual([]);
  copy.onPut = undefined;
  await denylist.copyNow();
  expect(trusted).toEqual([true]);
});

describe('when neither can be asked', () => {
  test('nothing is let in', async () => {
    await denylist.copyNow();
    copy.failing = true;
    lasting.failing = true;
    await expect(denylist.anyRevoked(['jti:a'])).rejects.toThrow('away');
  });
});

test('once started it makes the copy by itself, and again after each distrust', async () => {
  denylist.start();
  await waitFor(() => trusted.at(-1) === true);
  copy.loseData();
  await denylist.anyRevoked(['jti:a']);
  await waitFor(() => trusted.length === 3 && trusted.at(-1) === true);
  await denylist.stop();
});
