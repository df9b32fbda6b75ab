import { expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createOutageTolerance } from '../../provider/revocation/outage-tolerance.ts';
import { createManualClock } from '../support/manual-clock.ts';

const away = new StoreUnavailable('postgres', undefined);
const fails = () => Promise.reject(away);
const yes = async () => true;
const no = async () => false;

const create = () => {
  const clock = createManualClock();
  const logger = { info: () => {}, warn: () => {} };
  return { clock, ...createOutageTolerance({ probe: yes, clock, toleratedSeconds: 60, logger }) };
};

test('a token that is known as revoked is not accepted during a tolerated outage', async () => {
  const { statusOf } = create();
  await statusOf(yes);
  expect(await statusOf(fails, yes)).toBe('revoked');
  expect(await statusOf(fails, yes)).toBe('revoked');
  expect(await statusOf(fails, no)).toBe('unchecked');
  expect(await statusOf(fails, fails)).toBe('unchecked');
});

test('a known revocation does not count as an answer of the store: the outage continues until its time ends', async () => {
  const { clock, statusOf } = create();
  await statusOf(yes);
  clock.advance(59_000);
  await statusOf(fails, yes);
  await statusOf(fails, yes);
  clock.advance(1_001);
  await expect(statusOf(fails, no)).rejects.toBe(away);
});
