import { expect, test } from '@jest/globals';
import {
  conditionsOf,
  eventsOf,
  type Findings,
  found,
  isSameStatus,
  missing,
} from '../../provider/operator/conditions.ts';

const start = Date.UTC(2030, 0, 1);
const good: Findings = {
  Accepted: found('Accepted', 'fine'),
  SecretReady: found('SecretFound', 'there'),
  Ready: found('InUse', 'in use'),
};
const late: Findings = {
  ...good,
  SecretReady: missing('SecretNotFound', 'not there'),
  Ready: missing('SecretNotReady', 'not there'),
};

test('the time of a condition changes with its status only', () => {
  const first = conditionsOf(late, [], 1, start);
  expect(first.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
    Array(3).fill('2030-01-01T00:00:00Z'),
  );
  const second = conditionsOf(good, first, 2, start + 60_000);
  expect(second).toEqual([
    { type: 'Ready', ...good.Ready, observedGeneration: 2, lastTransitionTime: '2030-01-01T00:01:00Z' },
    { type: 'Accepted', ...good.Accepted, observedGeneration: 2, lastTransitionTime: '2030-01-01T00:00:00Z' },
    {
      type: 'SecretReady',
      ...good.SecretReady,
      observedGeneration: 2,
      lastTransitionTime: '2030-01-01T00:01:00Z',
    },
  ]);
});

test('the same findings give the same status, so nothing is written', () => {
  const before = { observedGeneration: 1, clientId: 'a', conditions: conditionsOf(good, [], 1, start) };
  const after = { ...before, conditions: conditionsOf(good, before.conditions, 1, start + 1000) };
  expect(isSameStatus(before, after)).toBe(true);
  expect(isSameStatus(before, { ...after, clientId: 'b' })).toBe(false);
  expect(
    isSameStatus(before, { ...after, conditions: conditionsOf(good, before.conditions, 2, start) }),
  ).toBe(false);
  expect(isSameStatus({}, after)).toBe(false);
});

test('a change has one event, and a repeat has none', () => {
  expect(eventsOf([], conditionsOf(good, [], 1, start))).toEqual([]);
  const first = conditionsOf(late, [], 1, start);
  expect(eventsOf([], first).map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'Warning SecretNotFound',
  ]);
  expect(eventsOf(first, conditionsOf(late, first, 2, start))).toEqual([]);
  expect(eventsOf(first, conditionsOf(good, first, 2, start))).toEqual([
    { type: 'Normal', reason: 'SecretFound', message: 'there' },
  ]);
});
