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

test('what is known to be revoked is not let in during a tolerated outage, whoever notices it', async () => {
  const { standing } = create();
  await standing(yes);
  expect(await standing(fails, yes)).toBe('dead');
  expect(await standing(fails, yes)).toBe('dead');
  expect(await standing(fails, no)).toBe('unchecked');
  expect(await standing(fails, fails)).toBe('unchecked');
});

test('to know that something was revoked is no answer of the store: the outage goes on, and its time runs out', async () => {
  const { clock, standing } = create();
  await standing(yes);
  clock.advance(59_000);
  await standing(fails, yes);
  await standing(fails, yes);
  clock.advance(1_001);
  await expect(standing(fails, no)).rejects.toBe(away);
});
