import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../provider/ports/account-store.ts';
import { authenticatorFor } from '../support/authenticator.ts';
import {
  type AuthenticatorBehaviour,
  createSoftwarePasskey,
  type SoftwarePasskey,
} from '../support/passkey-authenticator.ts';
import { addJohn, createWorld, from, john, type World } from './account-world.ts';

const honest = { origin: 'https://login.example.com', rpId: 'example.com' };
const { clientId } = from;
const place = { clientId, boundTo: 'interaction' };

const handleOf = (world: World, { id }: Account) =>
  world.unitOfWork.run(({ passkeys }) => passkeys.userHandle(id));

/** Adds a passkey to the account. */
async function addPasskey(
  world: World,
  account: Account,
  {
    passkey = createSoftwarePasskey(),
    ...behaviour
  }: Partial<AuthenticatorBehaviour> & {
    passkey?: SoftwarePasskey;
  } = {},
) {
  const here = { accountId: account.id, boundTo: 'here' };
  const { options, sealed } = await world.passkeys.offer(account, 'here');
  const answer = passkey.create(options, { ...honest, ...behaviour });
  const checked = await world.passkeys.checkNew(here, { sealed, answer });
  const codes = await world.unitOfWork.run((stores) =>
    world.passkeys.add(stores, account, checked, { name: 'Phone' }),
  );
  return { passkey, codes, offer: { sealed, answer } };
}

/** Answers a request for a passkey-first sign-in. */
async function signIn(
  world: World,
  account: Account,
  passkey: SoftwarePasskey,
  behaviour: Partial<AuthenticatorBehaviour & { userHandle: string | undefined }> = {},
) {
  const { options, sealed } = world.passkeySignIn.ask(place);
  const userHandle = await handleOf(world, account);
  const answer = passkey.get(options, { ...honest, userHandle, ...behaviour });
  return world.passkeySignIn.finish({ ...place, sealed, answer });
}

const types = async (world: World) => (await world.events()).map(({ type }) => type);
const stored = (world: World, { id }: SoftwarePasskey) => world.passkeys.find(id);
const failed = (code: string) => ({ code });

describe('a passkey as the only factor', () => {
  test('signs in at the higher level, and the key of a passkey on one device counts as hardware', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    expect((await signIn(world, account, passkey)).methods.amr).toEqual(['swk', 'user', 'mfa']);
    const { passkey: key } = await addPasskey(world, account, { isShareable: false });
    const { methods } = await signIn(world, account, key, { isShareable: false });
    expect(methods.amr).toEqual(['hwk', 'user', 'mfa']);
    expect(await types(world)).toEqual([
      'user.passkey_added',
      'user.login',
      'user.passkey_added',
      'user.login',
    ]);
    expect(world.outcomes).toEqual(['succeeded', 'succeeded']);
  });

  test.each<[string, Partial<AuthenticatorBehaviour & { userHandle: string }>]>([
    ['another origin', { origin: 'https://evil.example.net' }],
    ['another host of the same domain', { origin: 'https://other.example.com' }],
    ['another RP id', { rpId: 'login.example.com' }],
    ['an authenticator that did not verify the person', { userVerified: false }],
    ['the user handle of another account', { userHandle: 'AAAA' }],
    ['a flag BE that has changed', { isShareable: false }],
  ])('is refused for %s', async (_, behaviour) => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    await expect(signIn(world, account, passkey, behaviour)).rejects.toMatchObject(failed('invalid_passkey'));
    expect(await types(world)).toEqual(['user.passkey_added']);
    expect(world.outcomes).toEqual(['refused']);
    expect(await stored(world, passkey)).toMatchObject({ lastUsedAt: undefined });
  });

  test('an unknown passkey, a wrong signature and a missing user handle get the same error', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const stranger = createSoftwarePasskey();
    const asked = world.passkeySignIn.ask(place);
    const forged = {
      ...stranger.get(asked.options, { ...honest, userHandle: await handleOf(world, account) }),
      id: passkey.id,
      rawId: passkey.id,
    };
    const tries = [
      signIn(world, account, stranger),
      world.passkeySignIn.finish({ ...place, sealed: asked.sealed, answer: forged }),
      signIn(world, account, passkey, { userHandle: undefined }),
    ];
    const messages = await Promise.all(
      tries.map((one) =>
        one.then(
          () => [],
          ({ code, message }) => [code, message],
        ),
      ),
    );
    expect(new Set(messages.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(messages[0]?.[0]).toBe('invalid_passkey');
  });

  test('of parallel uses of one challenge exactly one wins, and no later one does', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const { options, sealed } = world.passkeySignIn.ask(place);
    const userHandle = await handleOf(world, account);
    const answer = passkey.get(options, { ...honest, userHandle });
    const finish = () =>
      world.passkeySignIn.finish({ ...place, sealed, answer }).then(
        () => 'signed in',
        ({ code }) => code,
      );
    const outcomes = await Promise.all(Array.from({ length: 10 }, finish));
    expect(outcomes.filter((outcome) => outcome === 'signed in')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['signed in', 'passkey_expired']));
    expect(await finish()).toBe('passkey_expired');
  });

  test('a challenge is valid for five minutes, for its client and place', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const { options, sealed } = world.passkeySignIn.ask(place);
    const answer = passkey.get(options, { ...honest, userHandle: await handleOf(world, account) });
    const finish = (where: object) => world.passkeySignIn.finish({ ...place, ...where, sealed, answer });
    await expect(finish({ clientId: 'other' })).rejects.toMatchObject(failed('passkey_expired'));
    await expect(finish({ boundTo: 'another' })).rejects.toMatchObject(failed('passkey_expired'));
    world.clock.advance(300_001);
    await expect(finish({})).rejects.toMatchObject(failed('passkey_expired'));
  });

  test('an answer to another challenge is refused', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const [one, other] = [world.passkeySignIn.ask(place), world.passkeySignIn.ask(place)];
    const answer = passkey.get(one.options, { ...honest, userHandle: await handleOf(world, account) });
    const finished = world.passkeySignIn.finish({ ...place, sealed: other.sealed, answer });
    await expect(finished).rejects.toMatchObject(failed('invalid_passkey'));
  });

  test('a counter that went back is refused with an event, and two zeros are normal', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    await signIn(world, account, passkey);
    await signIn(world, account, passkey, { counter: 5 });
    await world.events();
    for (const counter of [5, 4, 0]) {
      const copied = signIn(world, account, passkey, { counter });
      await expect(copied).rejects.toMatchObject(failed('invalid_passkey'));
    }
    const { id, email } = account;
    const refused = { id, email, passkeyId: passkey.id, name: 'Phone', reason: 'counter' };
    expect((await world.events()).map(({ type, data }) => [type, data])).toEqual(
      Array(3).fill(['user.passkey_refused', refused]),
    );
    await signIn(world, account, passkey, { counter: 6 });
    expect(await stored(world, passkey)).toMatchObject({ counter: 6 });
  });

  test('a disabled account is refused only after the right answer', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    await world.accounts.disable(account.id);
    const wrong = signIn(world, account, passkey, { origin: 'https://evil.example.net' });
    await expect(wrong).rejects.toMatchObject(failed('invalid_passkey'));
    await expect(signIn(world, account, passkey)).rejects.toMatchObject(failed('account_disabled'));
  });
});

describe('a passkey as second factor', () => {
  /** The challenge and the options after the right password. */
  const afterPassword = async (world: World) => {
    const asked = await world.signIn({ ...john, ...from }).catch((error) => error);
    expect(asked).toMatchObject({ code: 'second_factor_required' });
    return asked.members as {
      challenge: string;
      methods: string[];
      passkey: { challenge: string; allowCredentials: { id: string }[]; userVerification: string };
    };
  };

  test('finishes a sign-in after the password, also without verification of the person', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const { challenge, methods, passkey: options } = await afterPassword(world);
    expect(methods).toEqual(['passkey', 'recovery_code']);
    expect(options.allowCredentials.map(({ id }) => id)).toEqual([passkey.id]);
    expect(await world.secondStep.methods({ challenge, clientId })).toEqual({ methods, passkey: options });
    const answer = passkey.get(options, { ...honest, userVerified: false });
    const account2 = await world.secondStep.finish({ challenge, clientId, passkey: answer });
    expect(account2.methods.amr).toEqual(['pwd', 'swk', 'user', 'mfa']);
    expect(await types(world)).toEqual(['user.passkey_added', 'user.login']);
  });

  test('of parallel uses of one challenge by passkey and recovery code exactly one wins', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey, codes } = await addPasskey(world, account);
    const { challenge, passkey: options } = await afterPassword(world);
    const answer = passkey.get(options, honest);
    const tries = Array.from({ length: 8 }, (_, index) =>
      world.secondStep.finish(
        index % 2 ? { challenge, clientId, passkey: answer } : { challenge, clientId, code: codes?.[index] },
      ),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a passkey of another account, and an answer for a sign-in without a password, are refused', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const mary = await world.accounts.create({
      ...john,
      email: 'mary@example.com',
      roles: [],
      metadata: {},
      emailVerified: true,
    });
    if (mary === undefined) throw new Error('no account');
    const { passkey: hers } = await addPasskey(world, mary);
    const { challenge, passkey: options } = await afterPassword(world);
    const first = world.passkeySignIn.ask(place);
    for (const answer of [hers.get(options, honest), passkey.get(first.options, honest)]) {
      const finished = world.secondStep.finish({ challenge, clientId, passkey: answer });
      await expect(finished).rejects.toMatchObject(failed('invalid_passkey'));
    }
  });

  test('is offered beside an app, and counts as the second factor that a policy requires', async () => {
    const world = createWorld({ secondFactor: { mode: 'required' } });
    await addJohn(world);
    const missing = await world.signIn({ ...john, ...from, boundTo: 'page' }).catch((error) => error);
    expect(missing).toMatchObject({ code: 'second_factor_missing' });
    const input = { challenge: missing.members.challenge, clientId, boundTo: 'page' };
    const offer = await world.secondStep.offerPasskey(input);
    if (offer === undefined) throw new Error('no offer');
    const passkey = createSoftwarePasskey();
    const answer = passkey.create(offer.options, honest);
    const enrolled = await world.secondStep.enrolPasskey(input, { ...offer, answer, name: '' });
    expect(enrolled.account.methods.amr).toEqual(['pwd', 'swk', 'user', 'mfa']);
    expect(enrolled.recoveryCodes).toHaveLength(10);
    const [code] = enrolled.recoveryCodes;
    expect((await world.signIn({ ...john, ...from, code })).methods.amr).toEqual(['pwd', 'otp', 'mfa']);
    await expect(world.signIn({ ...john, ...from, code: '123456' })).rejects.toMatchObject(
      failed('invalid_second_factor'),
    );
  });
});

describe('adding and removing', () => {
  test('the first factor brings recovery codes, a further passkey does not, and both tell the person', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { codes } = await addPasskey(world, account);
    expect(codes).toHaveLength(10);
    expect((await addPasskey(world, account)).codes).toBeUndefined();
    const claimed = await world.mails.claim(10, world.clock.now(), 1000);
    expect(claimed.map(({ kind }) => kind)).toEqual(['passkey-added', 'passkey-added']);
  });

  test.each<[string, Partial<AuthenticatorBehaviour>]>([
    ['another origin', { origin: 'https://evil.example.net' }],
    ['another RP id', { rpId: 'example.net' }],
    ['no verification of the person', { userVerified: false }],
  ])('a new passkey is refused for %s', async (_, behaviour) => {
    const world = createWorld();
    const account = await addJohn(world);
    await expect(addPasskey(world, account, behaviour)).rejects.toMatchObject(failed('invalid_passkey'));
    expect(await world.passkeys.list(account.id)).toEqual([]);
  });

  // The library would check the certificates, and call addresses that are in them.
  test.each(['packed', 'tpm', 'android-key', 'apple', 'fido-u2f'])(
    'an attestation of the format %s with certificates is refused before the library reads them',
    async (fmt) => {
      const world = createWorld();
      const account = await addJohn(world);
      const attestation = { fmt, statement: new Map([['x5c', Buffer.from('a')]]) };
      await expect(addPasskey(world, account, { attestation })).rejects.toMatchObject({
        code: 'invalid_passkey',
        cause: { message: `an attestation with the format ${fmt}` },
      });
    },
  );

  test('an offer takes one answer, in five minutes, of its account and place', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { offer } = await addPasskey(world, account);
    const check = (where: object, given = offer) =>
      world.passkeys.checkNew({ accountId: account.id, boundTo: 'here', ...where }, given);
    await expect(check({})).rejects.toMatchObject(failed('passkey_expired'));
    const { options, sealed } = await world.passkeys.offer(account, 'here');
    const fresh = { sealed, answer: createSoftwarePasskey().create(options, honest) };
    await expect(check({ accountId: 'user_other' }, fresh)).rejects.toMatchObject(failed('passkey_expired'));
    await expect(check({ boundTo: 'there' }, fresh)).rejects.toMatchObject(failed('passkey_expired'));
    world.clock.advance(300_001);
    await expect(check({}, fresh)).rejects.toMatchObject(failed('passkey_expired'));
  });

  test('the user handle is random, the same for all passkeys of an account, and no passkey is made twice', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const { options } = await world.passkeys.offer(account, 'here');
    expect(options.user.id).toBe(await handleOf(world, account));
    expect(options.user.id).not.toContain(account.id);
    expect(options.excludeCredentials.map(({ id }) => id)).toEqual([passkey.id]);
    await expect(addPasskey(world, account, { passkey })).rejects.toMatchObject(failed('passkey_exists'));
  });

  test('an account has at most 20 passkeys', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    for (let count = 0; count < 20; count++) await addPasskey(world, account);
    await expect(addPasskey(world, account)).rejects.toMatchObject(failed('too_many_passkeys'));
  });

  test('the last factor takes the recovery codes with it, an earlier one does not', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const { secret, sealed } = await world.factors.offer(account, 'here');
    const app = authenticatorFor(secret, () => world.clock.now());
    const offered = { sealed, code: app.code(), place: { accountId: account.id, boundTo: 'here' } };
    const codes = await world.unitOfWork.run((stores) => world.factors.add(stores, account, offered));
    expect(codes).toHaveLength(10);
    await world.unitOfWork.run((stores) => world.factors.remove(stores, account));
    await expect(world.signIn({ ...john, ...from })).rejects.toMatchObject(failed('second_factor_required'));
    await world.signIn({ ...john, ...from, code: codes[0] });
    const removed = () =>
      world.unitOfWork.run((stores) => world.passkeys.remove(stores, account, passkey.id));
    expect(await removed()).toBe(true);
    expect(await removed()).toBe(false);
    expect((await world.signIn({ ...john, ...from })).methods.amr).toEqual(['pwd']);
    expect(await world.unitOfWork.run(({ secondFactors }) => secondFactors.find(account.id))).toBeUndefined();
  });

  test('recovery codes of an account without an app stay valid when a server secret is replaced', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey, codes } = await addPasskey(world, account);
    world.keys.replace(['a new server secret', 'secret']);
    await signIn(world, account, passkey);
    world.keys.replace(['a new server secret']);
    expect((await world.signIn({ ...john, ...from, code: codes?.[0] })).methods.amr).toContain('mfa');
  });

  test('a name is cleaned and shortened', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { passkey } = await addPasskey(world, account);
    const rename = (name: string) =>
      world.unitOfWork.run((stores) => world.passkeys.rename(stores, account.id, passkey.id, name));
    await rename(`  a\u0000b\n${'ä'.repeat(100)}`);
    expect((await stored(world, passkey))?.name).toBe(`a b ${'ä'.repeat(56)}`);
    await rename(' \n ');
    expect((await stored(world, passkey))?.name).toBe('Passkey');
  });
});
