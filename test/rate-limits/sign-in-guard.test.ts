import { expect, test } from '@jest/globals';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createGuardWorld } from './guard-world.ts';

const [ann, ben] = ['ann@example.com', 'ben@example.com'];
const [home, office] = ['192.0.2.1', '198.51.100.1'];
const day = 86_400_000;

type Attempt = ReturnType<typeof createGuardWorld>['attempt'];

async function fail(attempt: Attempt, count: number, account: string, address: string): Promise<string[]> {
  const outcomes: string[] = [];
  for (let index = 0; index < count; index += 1)
    outcomes.push(await attempt(account, address, 'invalid_credentials'));
  return outcomes;
}

test('what tried no password counts nothing: a full queue, a store that is away, a new password that won’t do', async () => {
  const { attempt, store } = createGuardWorld();
  for (const code of ['overloaded', 'store_unavailable', 'validation_failed', 'session_ended'] as const)
    for (let index = 0; index < 400; index += 1) expect(await attempt(ann, home, code)).toBe(code);
  expect(await fail(attempt, 10, ann, home)).toEqual(Array(10).fill('invalid_credentials'));
  expect(store.size).toBeLessThanOrEqual(4);
});

test('a disabled account’s password counts like a wrong one', async () => {
  const { attempt } = createGuardWorld();
  for (let index = 0; index < 10; index += 1) await attempt(ann, home, 'account_disabled');
  expect(await attempt(ann, home)).toBe('too_many_requests');
});

test('nothing is tried once there are too many', async () => {
  const { attempt, signIns, limited, lines } = createGuardWorld();
  await fail(attempt, 10, ann, home);
  let tried = false;
  const refused = signIns.signIn({ account: ann, address: home }, async () => {
    tried = true;
  });
  await expect(refused).rejects.toMatchObject({
    code: 'too_many_requests',
    retryAfterSeconds: 1,
    message: 'Too many tries. Try again in 1 second.',
  });
  expect(tried).toBe(false);
  expect(limited).toEqual(['sign-in by pair']);
  expect(lines).toEqual([{ action: 'sign-in', by: 'pair', address: home, retryAfterSeconds: 1 }]);
});

test('who signed in from their address within 30 days isn’t held up by what others do, there or anywhere', async () => {
  const { attempt, clock } = createGuardWorld();
  expect(await attempt(ann, home)).toBe('ok');
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  await fail(attempt, 2, ann, office);
  expect(await attempt(ann, office)).toBe('too_many_requests');
  expect(await attempt(ben, home)).toBe('too_many_requests');
  for (let index = 0; index < 5; index += 1) await fail(attempt, 1, ann, home);
  expect(await attempt(ann, home)).toBe('ok');
  clock.advance(30 * day);
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  await fail(attempt, 2, ann, home);
  expect(await attempt(ann, home)).toBe('too_many_requests');
});

test('who is somewhere new isn’t locked out by guesses from everywhere, however long they go on', async () => {
  const { attempt, clock, limited } = createGuardWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let hour = 0; hour < 20; hour += 1) {
    for (let minute = 0; minute < 60; minute += 1) {
      for (let index = 0; index < 6; index += 1)
        await fail(attempt, 1, ann, `203.0.${(minute * 6 + index) % 100}.${minute}`);
      clock.advance(60_000);
    }
    const abroad = `20.${hour}.7.1`;
    expect(await attempt(ann, abroad, 'invalid_credentials')).toBe('invalid_credentials');
    expect(await attempt(ann, abroad)).toBe('ok');
  }
  expect(limited).toContain('sign-in by account');
});

test('then a network has two tries an hour, which a right password gives back', async () => {
  const { attempt, clock } = createGuardWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 5; index += 1)
    expect(await attempt(ann, `20.0.1.${index}`, 'overloaded')).toBe('overloaded');
  expect(await fail(attempt, 1, ann, '20.0.1.1')).toEqual(['invalid_credentials']);
  expect(await attempt(ann, '20.0.1.2')).toBe('ok');
  expect(await fail(attempt, 1, ann, '20.0.1.3')).toEqual(['invalid_credentials']);
  for (let index = 4; index < 20; index += 1)
    expect(await fail(attempt, 1, ann, `20.0.1.${index}`)).toEqual(['too_many_requests']);
  // Not within the account's own tries: those come back each 36 seconds.
  clock.advance(30_000);
  expect(await attempt(ann, '20.0.1.30')).toBe('too_many_requests');
  expect(await attempt(ann, '20.0.2.1')).toBe('ok');
});

test('all networks together have a bound, of which those that had their tries take nothing, and which takes nothing of theirs', async () => {
  const { attempt, clock, limited } = createGuardWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 1000; index += 1) await fail(attempt, 1, ann, '203.0.0.1');
  const outcomes: string[] = [];
  for (let index = 0; index < 450; index += 1)
    outcomes.push(...(await fail(attempt, 1, ann, `20.${index >> 8}.${index & 255}.1`)));
  // Two of the 400 went to the network that asked a thousand times.
  expect(outcomes.filter((one) => one === 'invalid_credentials').length).toBeGreaterThanOrEqual(398);
  expect(outcomes.filter((one) => one === 'invalid_credentials').length).toBeLessThanOrEqual(400);
  expect(outcomes.slice(400)).toEqual(Array(50).fill('too_many_requests'));
  expect(new Set(limited)).toEqual(new Set(['sign-in by account']));
  expect(await fail(attempt, 3, ann, '20.5.5.1')).toEqual(Array(3).fill('too_many_requests'));
  clock.advance(9000);
  expect(await attempt(ann, '20.5.5.1')).toBe('ok');
});

test('an address or network that is used up is so for newcomers too', async () => {
  const { attempt } = createGuardWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  expect(await attempt(ann, home)).toBe('too_many_requests');
});

test('a browser that signed in before has tries of its own, which others can’t use up, nor it theirs', async () => {
  const { attempt, store } = createGuardWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  const before = store.size;
  for (let index = 0; index < 10; index += 1)
    expect(await attempt(ann, home, 'invalid_credentials', 'laptop')).toBe('invalid_credentials');
  expect(await attempt(ann, home, 'ok', 'laptop')).toBe('too_many_requests');
  expect(await attempt(ann, office, 'ok', 'laptop')).toBe('too_many_requests');
  expect(store.size).toBe(before + 1);
  expect(await attempt(ann, home, 'ok', 'phone')).toBe('ok');
  // It signed in there, so it is known there without the cookie, too.
  expect(await attempt(ann, home)).toBe('ok');
});

test('who is refused for others’ sake pays nothing: not at the pair, nor at what didn’t refuse', async () => {
  const { attempt, clock, limited } = createGuardWorld();
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  for (let index = 0; index < 200; index += 1) expect(await attempt(ann, home)).toBe('too_many_requests');
  expect(limited).toEqual(Array(200).fill('sign-in by address'));
  // The network has 700 left, the account all of its 100, and the pair its 10.
  expect(await fail(attempt, 10, ann, '192.0.2.7')).toEqual(Array(10).fill('invalid_credentials'));
  clock.advance(12_000);
  expect(await attempt(ann, home)).toBe('ok');
});

test('a count that can’t be taken back costs nobody their sign-in', async () => {
  const { attempt, failing } = createGuardWorld();
  for (const method of ['giveBack', 'forgive', 'withdraw']) failing.add(method);
  expect(await attempt(ann, home)).toBe('ok');
  expect(await attempt(ben, home, 'overloaded')).toBe('overloaded');
});

test('limits by address and network are scaled, those of an account are not', async () => {
  const { attempt } = createGuardWorld({ percent: 5 });
  expect(await fail(attempt, 10, ann, home)).toEqual(Array(10).fill('invalid_credentials'));
  for (let index = 0; index < 5; index += 1)
    expect(await attempt(`${index}@example.com`, home, 'invalid_credentials')).toBe('invalid_credentials');
  expect(await attempt(ben, home)).toBe('too_many_requests');
  expect(await attempt(ben, office)).toBe('ok');
});

test('sign-ups that were accepted count, others don’t', async () => {
  const { signIns, outcome, limited } = createGuardWorld();
  const signUp = (code?: 'validation_failed') =>
    outcome(
      signIns.signUp(home, async () => {
        if (code) throw new GatehouseError(code, code);
      }),
    );
  for (let index = 0; index < 100; index += 1)
    expect(await signUp('validation_failed')).toBe('validation_failed');
  for (let index = 0; index < 60; index += 1) expect(await signUp()).toBe('ok');
  expect(await signUp()).toBe('too_many_requests');
  expect(limited).toEqual(['sign-up by address']);
});

test('sign-ups of a network count together', async () => {
  const { signIns, outcome, limited } = createGuardWorld();
  const outcomes: string[] = [];
  for (let index = 0; index < 250; index += 1)
    outcomes.push(await outcome(signIns.signUp(`192.0.2.${index % 100}`, async () => {})));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(240);
  expect(new Set(limited)).toEqual(new Set(['sign-up by network']));
});
