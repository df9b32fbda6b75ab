import { expect, test } from '@jest/globals';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createLimitsWorld, from } from './limits-world.ts';

const hour = 3_600_000;

/** Asks for a mail, and says whether it was allowed, or the error. */
function createAsking(world: ReturnType<typeof createLimitsWorld>) {
  return async (email: string, address: string) => {
    let said = '';
    const outcome = await world.outcome(
      from(address, () =>
        world.askForMail('recover', email, async (isAllowed) => {
          said = isAllowed ? 'mail' : 'no mail';
        }),
      ),
    );
    return outcome === 'ok' ? said : outcome;
  };
}

test('an email address gets three mails an hour from one network, in any spelling', async () => {
  const world = createLimitsWorld();
  const ask = createAsking(world);
  for (const email of ['jane@example.com', 'Jane@Example.com', ' JANE@example.com'])
    expect(await ask(email, '192.0.2.1')).toBe('mail');
  expect(await ask('jane@example.com', '192.0.2.2')).toBe('no mail');
  expect(await ask('jane@example.com', '198.51.100.1')).toBe('mail');
  expect(await ask('john@example.com', '192.0.2.1')).toBe('mail');
  world.clock.advance(hour);
  expect(await ask('jane@example.com', '192.0.2.1')).toBe('mail');
});

test('an email address gets ten mails a day from all networks, which leaves room for other mails', async () => {
  const ask = createAsking(createLimitsWorld());
  const said = [];
  for (let network = 0; network < 12; network += 1)
    said.push(await ask('jane@example.com', `198.51.${network}.1`));
  expect(said).toEqual([...Array(10).fill('mail'), 'no mail', 'no mail']);
});

test('an address and a network are refused beyond their limits, before any work', async () => {
  const ask = createAsking(createLimitsWorld());
  for (let time = 0; time < 30; time += 1)
    expect(await ask(`a${time}@example.com`, '192.0.2.1')).toBe('mail');
  expect(await ask('jane@example.com', '192.0.2.1')).toBe('too_many_requests');
  for (let time = 0; time < 90; time += 1)
    expect(await ask(`b${time}@example.com`, `192.0.2.${2 + (time % 3)}`)).toBe('mail');
  expect(await ask('jane@example.com', '192.0.2.9')).toBe('too_many_requests');
  expect(await ask('jane@example.com', '198.51.100.1')).toBe('mail');
});

test('work that fails is not counted', async () => {
  const world = createLimitsWorld();
  const failing = () =>
    from('192.0.2.1', () =>
      world.askForMail('recover', 'jane@example.com', async () => {
        throw new Error('away');
      }),
    );
  for (let time = 0; time < 40; time += 1) await expect(failing()).rejects.toThrow('away');
  expect(await createAsking(world)('jane@example.com', '192.0.2.1')).toBe('mail');
});

test('a new password takes back the wrong ones from the same address', async () => {
  const world = createLimitsWorld();
  const wrong = () =>
    world.signIn('jane@example.com', '192.0.2.1', async () => {
      throw new GatehouseError('invalid_credentials', 'wrong');
    });
  for (let time = 0; time < 12; time += 1) await world.outcome(wrong());
  expect(await world.outcome(wrong())).toBe('too_many_requests');
  const account = { email: 'Jane@example.com', tokenVersion: 2 };
  await from('198.51.100.1', () => world.passwordReplaced(account));
  expect(await world.outcome(wrong())).toBe('too_many_requests');
  await from('192.0.2.1', () => world.passwordReplaced(account));
  expect(await world.outcome(wrong())).toBe('invalid_credentials');
});
