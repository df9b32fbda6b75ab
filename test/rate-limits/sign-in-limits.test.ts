import { describe, expect, test } from '@jest/globals';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createLimitsWorld, from } from './limits-world.ts';

const [ann, ben] = ['ann@example.com', 'ben@example.com'];
const [home, office] = ['192.0.2.1', '198.51.100.1'];
const day = 86_400_000;

type Attempt = ReturnType<typeof createLimitsWorld>['attempt'];

async function fail(attempt: Attempt, count: number, account: string, address: string): Promise<string[]> {
  const outcomes: string[] = [];
  for (let index = 0; index < count; index += 1)
    outcomes.push(await attempt(account, address, 'invalid_credentials'));
  return outcomes;
}

test('errors before a password was tried are not counted: a full queue, a lost store, a new password that is not allowed', async () => {
  const { attempt, store } = createLimitsWorld();
  for (const code of ['overloaded', 'store_unavailable', 'validation_failed', 'session_ended'] as const)
    for (let index = 0; index < 400; index += 1) expect(await attempt(ann, home, code)).toBe(code);
  expect(await fail(attempt, 10, ann, home)).toEqual(Array(10).fill('invalid_credentials'));
  expect(store.size).toBeLessThanOrEqual(4);
});

test('tries of one address count together in every spelling', async () => {
  const { attempt } = createLimitsWorld();
  const spellings = [
    'ann@bücher.example',
    ' ANN@BÜCHER.example',
    'ann@xn--bcher-kva.example',
    'ann@bücher.example.',
  ];
  const outcomes: string[] = [];
  for (let index = 0; index < 11; index += 1)
    outcomes.push(await attempt(spellings[index % 4] ?? '', home, 'invalid_credentials'));
  expect(outcomes).toEqual([...Array(10).fill('invalid_credentials'), 'too_many_requests']);
});

test('the password of a disabled account counts like a wrong one', async () => {
  const { attempt } = createLimitsWorld();
  for (let index = 0; index < 10; index += 1) await attempt(ann, home, 'account_disabled');
  expect(await attempt(ann, home)).toBe('too_many_requests');
});

test('after too many tries no password is tried', async () => {
  const { attempt, signIn, limited, lines } = createLimitsWorld();
  await fail(attempt, 10, ann, home);
  let tried = false;
  const refused = signIn(ann, home, async () => {
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

test('an account that signed in from an address within 30 days isn’t limited by tries of others, from there or elsewhere', async () => {
  const { attempt, clock } = createLimitsWorld();
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

test('a person at a new address isn’t locked out by guesses from many networks, however long they continue', async () => {
  const { attempt, clock, limited } = createLimitsWorld();
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

test('when the account’s tries are used up, a network has two tries an hour, which a right password gives back', async () => {
  const { attempt, clock } = createLimitsWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 5; index += 1)
    expect(await attempt(ann, `20.0.1.${index}`, 'overloaded')).toBe('overloaded');
  expect(await fail(attempt, 1, ann, '20.0.1.1')).toEqual(['invalid_credentials']);
  expect(await attempt(ann, '20.0.1.2')).toBe('ok');
  expect(await fail(attempt, 1, ann, '20.0.1.3')).toEqual(['invalid_credentials']);
  for (let index = 4; index < 20; index += 1)
    expect(await fail(attempt, 1, ann, `20.0.1.${index}`)).toEqual(['too_many_requests']);
  // The account's own tries come back every 36 seconds, so none of them is used here.
  clock.advance(30_000);
  expect(await attempt(ann, '20.0.1.30')).toBe('too_many_requests');
  expect(await attempt(ann, '20.0.2.1')).toBe('ok');
});

test('all networks together have a limit; a refused network takes nothing from it, and it takes nothing from a network that it refuses', async () => {
  const { attempt, clock, limited } = createLimitsWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 1000; index += 1) await fail(attempt, 1, ann, '203.0.0.1');
  const outcomes: string[] = [];
  for (let index = 0; index < 450; index += 1)
    outcomes.push(...(await fail(attempt, 1, ann, `20.${index >> 8}.${index & 255}.1`)));
  // The network that tried a thousand times took two of the 400.
  expect(outcomes.filter((one) => one === 'invalid_credentials').length).toBeGreaterThanOrEqual(398);
  expect(outcomes.filter((one) => one === 'invalid_credentials').length).toBeLessThanOrEqual(400);
  expect(outcomes.slice(400)).toEqual(Array(50).fill('too_many_requests'));
  expect(new Set(limited)).toEqual(new Set(['sign-in by account']));
  expect(await fail(attempt, 3, ann, '20.5.5.1')).toEqual(Array(3).fill('too_many_requests'));
  clock.advance(9000);
  expect(await attempt(ann, '20.5.5.1')).toBe('ok');
});

test('an address or network that has used up its tries has none for new accounts either', async () => {
  const { attempt } = createLimitsWorld();
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  expect(await attempt(ann, home)).toBe('too_many_requests');
});

test('a browser that signed in before has its own tries: others can’t use them up, and it can’t use up those of others', async () => {
  const { attempt, store, knownBrowser } = createLimitsWorld();
  const laptop = knownBrowser(ann);
  for (let index = 0; index < 100; index += 1) await fail(attempt, 1, ann, `203.0.${index}.1`);
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  const before = store.size;
  for (let index = 0; index < 10; index += 1)
    expect(await attempt(ann, home, 'invalid_credentials', laptop)).toBe('invalid_credentials');
  expect(await attempt(ann, home, 'ok', laptop)).toBe('too_many_requests');
  expect(await attempt(ann, office, 'ok', laptop)).toBe('too_many_requests');
  expect(store.size).toBe(before + 1);
  // A browser with another id.
  let phone = knownBrowser(ann);
  while ((await attempt(ann, home, 'overloaded', phone)) === 'too_many_requests') phone = knownBrowser(ann);
  expect(await attempt(ann, home, 'ok', phone)).toBe('ok');
  // The account signed in from there, so it is known there without the cookie too.
  expect(await attempt(ann, home)).toBe('ok');
});

test('many cookies of known browsers give few tries', async () => {
  const { attempt, knownBrowser } = createLimitsWorld();
  const cookies = Array.from({ length: 100 }, () => knownBrowser(ann));
  const outcomes: string[] = [];
  for (const cookie of cookies)
    for (let index = 0; index < 10; index += 1)
      outcomes.push(await attempt(ann, home, 'invalid_credentials', cookie));
  expect(outcomes.filter((outcome) => outcome === 'invalid_credentials')).toHaveLength(80);
  expect(outcomes).toHaveLength(1000);
});

test('after a new password the known browsers and places of an account have no tries of their own', async () => {
  const { attempt, knownBrowser, endTokens } = createLimitsWorld();
  const places = Array.from({ length: 30 }, (_, index) => `20.0.${index}.1`);
  const cookies = places.map(() => knownBrowser(ann));
  for (const place of places) expect(await attempt(ann, place)).toBe('ok');
  endTokens(ann);
  const outcomes: string[] = [];
  for (const [index, place] of places.entries())
    for (let round = 0; round < 10; round += 1)
      outcomes.push(await attempt(ann, place, 'invalid_credentials', cookies[index]));
  // The account's 100, and two for each network whose own ten are not used up.
  expect(outcomes.filter((outcome) => outcome === 'invalid_credentials')).toHaveLength(100 + 2 * 20);
  // The owner signs in at a place of their own, and is known again.
  expect(await attempt(ann, office)).toBe('ok');
  for (let index = 0; index < 3; index += 1)
    expect(await attempt(ann, office, 'invalid_credentials')).toBe('invalid_credentials');
  const laptop = knownBrowser(ann);
  for (let index = 0; index < 3; index += 1)
    expect(await attempt(ann, '203.0.113.9', 'invalid_credentials', laptop)).toBe('invalid_credentials');
});

test('hashes are counted for the account that is tried and the network of the request', async () => {
  const { signIn, hashingCaller } = createLimitsWorld();
  expect(hashingCaller()).toEqual({});
  expect(from(home, hashingCaller)).toEqual({ network: '192.0.2.0/24' });
  const seen: unknown[] = [];
  for (const email of [ann, ` ${ann.toUpperCase()}`])
    await signIn(email, home, async () => {
      seen.push(hashingCaller());
    });
  expect(seen).toEqual([seen[0], seen[0]]);
  expect(seen[0]).toEqual({ account: expect.any(String), network: '192.0.2.0/24' });
});

test('a refusal by a shared limit uses up nothing of the pair and of the other limits', async () => {
  const { attempt, clock, limited } = createLimitsWorld();
  for (let index = 0; index < 300; index += 1) await fail(attempt, 1, `${index}@example.com`, home);
  for (let index = 0; index < 200; index += 1) expect(await attempt(ann, home)).toBe('too_many_requests');
  expect(limited).toEqual(Array(200).fill('sign-in by address'));
  // The network has 700 left, the account all of its 100, and the pair its 10.
  expect(await fail(attempt, 10, ann, '192.0.2.7')).toEqual(Array(10).fill('invalid_credentials'));
  clock.advance(12_000);
  expect(await attempt(ann, home)).toBe('ok');
});

test('a count that can’t be taken back doesn’t fail a sign-in', async () => {
  const { attempt, failing } = createLimitsWorld();
  for (const method of ['giveBack', 'forgive', 'withdraw']) failing.add(method);
  expect(await attempt(ann, home)).toBe('ok');
  expect(await attempt(ben, home, 'overloaded')).toBe('overloaded');
});

test('limits by address and network are scaled, those of an account are not', async () => {
  const { attempt } = createLimitsWorld({ percent: 5 });
  expect(await fail(attempt, 10, ann, home)).toEqual(Array(10).fill('invalid_credentials'));
  for (let index = 0; index < 5; index += 1)
    expect(await attempt(`${index}@example.com`, home, 'invalid_credentials')).toBe('invalid_credentials');
  expect(await attempt(ben, home)).toBe('too_many_requests');
  expect(await attempt(ben, office)).toBe('ok');
});

test('accepted sign-ups count, others don’t', async () => {
  const { signUp: signUpFrom, outcome, limited } = createLimitsWorld();
  const signUp = (code?: 'validation_failed') =>
    outcome(
      signUpFrom(home, async () => {
        if (code) throw new GatehouseError(code, code);
      }),
    );
  for (let index = 0; index < 100; index += 1)
    expect(await signUp('validation_failed')).toBe('validation_failed');
  for (let index = 0; index < 60; index += 1) expect(await signUp()).toBe('ok');
  expect(await signUp()).toBe('too_many_requests');
  expect(limited).toEqual(['sign-up by address']);
});

test('sign-ups from a network count together', async () => {
  const { signUp: signUpFrom, outcome, limited } = createLimitsWorld();
  const outcomes: string[] = [];
  for (let index = 0; index < 250; index += 1)
    outcomes.push(await outcome(signUpFrom(`192.0.2.${index % 100}`, async () => {})));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(240);
  expect(new Set(limited)).toEqual(new Set(['sign-up by network']));
});

describe('an attacker who knows the password', () => {
  /** One sign-in of two steps from this address: the right password, then this code. */
  const twoSteps = async (
    { attempt, attemptCode }: ReturnType<typeof createLimitsWorld>,
    index: number,
    ends: 'ok' | 'invalid_second_factor' = 'invalid_second_factor',
  ) => {
    const address = `203.0.${index % 200}.${Math.floor(index / 200)}`;
    await attempt(ann, address, 'second_factor_required');
    return attemptCode(ann, address, ends, { challengeId: `challenge ${index}` });
  };

  test('gets 40 codes of an app on the first day and 20 on each later one, however many addresses', async () => {
    const world = createLimitsWorld();
    const triedOn: number[] = [];
    let index = 0;
    for (let days = 0; days < 3; days += 1) {
      let wrong = 0;
      for (let hours = 0; hours < 24; hours += 1) {
        for (let tries = 0; tries < 10; tries += 1)
          if ((await twoSteps(world, index++)) === 'invalid_second_factor') wrong += 1;
        world.clock.advance(day / 24);
      }
      triedOn.push(wrong);
    }
    expect(triedOn[0]).toBeLessThanOrEqual(40);
    expect(triedOn[0]).toBeGreaterThan(20);
    for (const tried of triedOn.slice(1)) expect(tried).toBeLessThanOrEqual(20);
  });

  test('does not keep the person out, in a known place or by a recovery code, and other errors are not counted', async () => {
    const world = createLimitsWorld();
    await world.attempt(ann, home);
    for (let index = 0; index < 30; index += 1) await world.attemptCode(ann, office, 'invalid_credentials');
    world.clock.advance(day);
    for (let index = 0; index < 60; index += 1) await twoSteps(world, index);
    expect(await twoSteps(world, 60, 'ok')).toBe('too_many_requests');
    expect(world.limited).toContain('second-factor by account');
    expect(await world.attemptCode(ann, home, 'ok')).toBe('ok');
    expect(await world.attempt(ann, '203.0.250.1')).toBe('ok');
  });

  test('cannot use up the codes of a person without the password', async () => {
    const world = createLimitsWorld();
    for (let index = 0; index < 60; index += 1)
      await world.attemptCode(ann, `203.0.${index}.1`, 'invalid_credentials');
    world.clock.advance(day);
    expect(await twoSteps(world, 70, 'ok')).toBe('ok');
  });
});
