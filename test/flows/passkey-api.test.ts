import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { multiFactorAcr } from '../../provider/lib/password-sign-in.ts';
import {
  appOrigin,
  appPost,
  appSettings,
  askForNewPasskey,
  askForPasskey,
  type Lies,
  newAnswer,
  personWithPasskey,
} from '../support/app-passkeys.ts';
import { type Deployment, deployments } from '../support/deployment.ts';
import { apiLogin, getProfile } from '../support/json-api.ts';
import { createSoftwarePasskey } from '../support/passkey-authenticator.ts';
import { newPerson } from '../support/sign-in.ts';
import { decodeJwt, type JsonAnswer } from '../support/test-client.ts';

const otherChallenge = Buffer.alloc(32, 7).toString('base64url');
const outcome = ({ status, body }: JsonAnswer) => [status, body.code];

describe.each(deployments)('passkeys in an app with its own form, on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ env: appSettings });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const login = (challenge: string, credential: object, more = {}) =>
    appPost(deployment, '/auth/passkey/login', { challenge, credential, ...more });

  test.each(['ES256', 'RS256'] as const)(
    'a person adds a passkey with %s in the app, and signs in with it without a password',
    async (algorithm) => {
      const owner = await personWithPasskey(deployment, algorithm);
      expect(owner.added.body).toEqual({ id: owner.passkey.id, recoveryCodes: expect.any(Array) });
      expect(new Set(owner.added.body.recoveryCodes as string[]).size).toBe(10);
      const { status, headers, body } = await owner.signIn();
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.getSetCookie()).toEqual([]);
      expect(body).toEqual({
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 900,
      });
      const { claims } = decodeJwt(String(body.accessToken));
      expect(claims).toMatchObject({
        client_id: 'demo-first-party',
        email: owner.person.email,
        acr: multiFactorAcr,
        amr: ['swk', 'user', 'mfa'],
      });
      expect((await getProfile(deployment, String(body.accessToken))).status).toBe(200);
      const { refreshToken } = body;
      const next = await appPost(deployment, '/auth/refresh', { refreshToken });
      expect(decodeJwt(String(next.body.accessToken)).claims).toMatchObject({
        acr: multiFactorAcr,
        auth_time: claims.auth_time,
      });
    },
  );

  test('the options name no account, and each request has another challenge', async () => {
    const { userHandle } = await personWithPasskey(deployment);
    const [one, other] = [await askForPasskey(deployment), await askForPasskey(deployment)];
    expect(one.options).toMatchObject({
      rpId: new URL(deployment.issuer).hostname,
      userVerification: 'required',
      allowCredentials: [],
    });
    expect(one.options.challenge).not.toBe(other.options.challenge);
    expect(userHandle).toMatch(/^[\w-]{43}$/);
  });

  test('a wrong answer is refused like that of an unknown passkey, whatever is wrong with it', async () => {
    const owner = await personWithPasskey(deployment);
    const lies: Lies[] = [
      { origin: 'https://evil.example' },
      { origin: `${appOrigin}:8443` },
      { origin: `android:apk-key-hash:${'A'.repeat(43)}` },
      { challenge: otherChallenge },
      { type: 'webauthn.create' },
      { rpId: 'evil.example' },
      { userVerified: false },
      { userHandle: otherChallenge },
    ];
    const request = await askForPasskey(deployment);
    const honest = { origin: appOrigin, rpId: String(request.options.rpId), userHandle: owner.userHandle };
    const unknown = createSoftwarePasskey().get(request.options, honest);
    const answers = await Promise.all([
      login(request.challenge, unknown),
      ...lies.map((lie) => login(request.challenge, owner.answer(request, lie))),
    ]);
    const comparable = ({ status, body }: JsonAnswer) => ({ status, body: { ...body, requestId: '' } });
    const [first] = answers.map(comparable);
    expect(first).toMatchObject({ status: 401, body: { code: 'invalid_passkey' } });
    for (const answer of answers) expect(comparable(answer)).toEqual(first);
    expect((await login(request.challenge, owner.answer(request))).status).toBe(200);
  });

  test('an answer with the key of another passkey is refused', async () => {
    const [one, other] = [await personWithPasskey(deployment), await personWithPasskey(deployment)];
    const request = await askForPasskey(deployment);
    for (const userHandle of [one.userHandle, other.userHandle]) {
      const signed = one.answer(request, { userHandle });
      const mixed = { ...signed, id: other.passkey.id, rawId: other.passkey.id };
      expect(outcome(await login(request.challenge, mixed))).toEqual([401, 'invalid_passkey']);
    }
  });

  test.each([1, 0])('a used answer is refused, also with the counter %s', async (counter) => {
    const owner = await personWithPasskey(deployment);
    const request = await askForPasskey(deployment);
    const credential = owner.answer(request, { counter });
    expect((await login(request.challenge, credential)).status).toBe(200);
    expect((await login(request.challenge, credential)).status).toBe(401);
    expect((await login((await askForPasskey(deployment)).challenge, credential)).status).toBe(401);
  });

  test('of twenty parallel uses of one answer, one gets tokens', async () => {
    const owner = await personWithPasskey(deployment);
    const request = await askForPasskey(deployment);
    const credential = owner.answer(request);
    const answers = await Promise.all(Array.from({ length: 20 }, () => login(request.challenge, credential)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  test('two passkeys cannot both answer one challenge', async () => {
    const owners = [await personWithPasskey(deployment), await personWithPasskey(deployment)];
    const request = await askForPasskey(deployment);
    const answers = await Promise.all(owners.map((one) => login(request.challenge, one.answer(request))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test('a copy of a passkey, whose counter is behind, is refused', async () => {
    const owner = await personWithPasskey(deployment);
    expect((await owner.signIn({ counter: 10 })).status).toBe(200);
    for (const counter of [10, 9, 0])
      expect(outcome(await owner.signIn({ counter }))).toEqual([401, 'invalid_passkey']);
    expect((await owner.signIn({ counter: 11 })).status).toBe(200);
  });

  test('a challenge that was changed or made up is refused, and so is one for another client', async () => {
    const owner = await personWithPasskey(deployment);
    const request = await askForPasskey(deployment);
    const { challenge } = request;
    const credential = owner.answer(request);
    for (const wrong of [`${challenge.slice(0, -4)}AAAA`, challenge.slice(4), 'made-up', ''])
      expect(outcome(await login(wrong, credential))).toEqual([401, 'passkey_expired']);
    expect(outcome(await login(challenge, credential, { clientId: 'demo-web' }))).toEqual([
      403,
      'client_not_allowed',
    ]);
    expect((await login(challenge, credential)).status).toBe(200);
  });

  test('an answer that is not in the form of WebAuthn is refused, with the fields that are wrong', async () => {
    const { challenge } = await askForPasskey(deployment);
    const { status, body } = await login(challenge, { id: 'x', rawId: '*', type: 'password', response: {} });
    expect([status, body.code]).toEqual([400, 'validation_failed']);
    const pointers = (body.errors as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).toEqual(
      expect.arrayContaining(['/credential/rawId', '/credential/type', '/credential/response/signature']),
    );
  });

  describe('as second factor', () => {
    const half = async (person: object) => (await appPost(deployment, '/auth/login', person)).body;
    const second = (body: object) => appPost(deployment, '/auth/login/passkey', body);
    const withCode = (body: object) => appPost(deployment, '/auth/login/second-factor', body);

    test('the password is answered with the options, and the passkey gives the tokens', async () => {
      const owner = await personWithPasskey(deployment);
      const { code, challenge, methods, passkey } = await half(owner.person);
      expect([code, methods]).toEqual(['second_factor_required', ['passkey', 'recovery_code']]);
      const options = passkey as { challenge: string };
      expect(options).toMatchObject({ allowCredentials: [{ id: owner.passkey.id }] });
      const credential = owner.answer({ options }, { userVerified: false });
      const { status, body } = await second({ challenge, credential });
      expect(status).toBe(200);
      expect(decodeJwt(String(body.accessToken)).claims).toMatchObject({
        acr: multiFactorAcr,
        amr: ['pwd', 'swk', 'user', 'mfa'],
      });
      expect(outcome(await second({ challenge, credential }))).toEqual([401, 'second_factor_expired']);
    });

    test('the answer must be for this sign-in, from the app, and from a passkey of the account', async () => {
      const [owner, other] = [await personWithPasskey(deployment), await personWithPasskey(deployment)];
      const { challenge, passkey } = await half(owner.person);
      const options = passkey as { challenge: string };
      for (const credential of [
        owner.answer({ options }, { origin: 'https://evil.example' }),
        owner.answer({ options }, { challenge: otherChallenge }),
        owner.answer(await askForPasskey(deployment)),
        other.answer({ options }),
      ])
        expect(outcome(await second({ challenge, credential }))).toEqual([401, 'invalid_passkey']);
      expect((await second({ challenge, credential: owner.answer({ options }) })).status).toBe(200);
    });

    test('a recovery code replaces the passkey once', async () => {
      const owner = await personWithPasskey(deployment);
      const [code] = owner.added.body.recoveryCodes as string[];
      const { challenge } = await half(owner.person);
      expect((await withCode({ challenge, code })).status).toBe(200);
      const again = await half(owner.person);
      expect(outcome(await withCode({ challenge: again.challenge, code }))).toEqual([
        401,
        'invalid_second_factor',
      ]);
    });
  });

  describe('adding a passkey', () => {
    const offer = (token?: string) => appPost(deployment, '/user/passkeys/options', {}, token);
    const add = (token: string, challenge: string, credential: object) =>
      appPost(deployment, '/user/passkeys', { challenge, credential }, token);
    const tokenOf = async (person: object) => (await apiLogin(deployment, { ...person })).accessToken;

    test('needs a valid access token', async () => {
      expect(outcome(await offer())).toEqual([401, 'invalid_token']);
      expect(outcome(await offer('made-up'))).toEqual([401, 'invalid_token']);
    });

    test('takes one answer to an offer, and only for the account that got it', async () => {
      const one = await tokenOf(await newPerson(deployment));
      const other = await tokenOf(await newPerson(deployment));
      const request = await askForNewPasskey(deployment, one);
      const answer = () => newAnswer(deployment, request, createSoftwarePasskey());
      expect(outcome(await add(other, request.challenge, answer()))).toEqual([401, 'passkey_expired']);
      const answers = await Promise.all([1, 2, 3].map(() => add(one, request.challenge, answer())));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
    });

    test('refuses a wrong answer', async () => {
      const token = await tokenOf(await newPerson(deployment));
      const request = await askForNewPasskey(deployment, token);
      const lies: Lies[] = [
        { origin: 'https://evil.example' },
        { rpId: 'evil.example' },
        { userVerified: false },
        { challenge: otherChallenge },
        { type: 'webauthn.get' },
      ];
      for (const lie of lies) {
        const credential = newAnswer(deployment, request, createSoftwarePasskey(), lie);
        expect(outcome(await add(token, request.challenge, credential))).toEqual([401, 'invalid_passkey']);
      }
      const honest = newAnswer(deployment, request, createSoftwarePasskey());
      expect((await add(token, request.challenge, honest)).status).toBe(201);
    });

    test('a passkey that the account has cannot be added again, and a second one brings no new recovery codes', async () => {
      const owner = await personWithPasskey(deployment);
      const token = String((await owner.signIn()).body.accessToken);
      const request = await askForNewPasskey(deployment, token);
      expect(request.options.excludeCredentials).toMatchObject([{ id: owner.passkey.id }]);
      const same = await add(token, request.challenge, newAnswer(deployment, request, owner.passkey));
      expect(outcome(same)).toEqual([409, 'passkey_exists']);
      const again = await askForNewPasskey(deployment, token);
      const second = createSoftwarePasskey();
      const { status, body } = await add(token, again.challenge, newAnswer(deployment, again, second));
      expect([status, body]).toEqual([201, { id: second.id }]);
    });
  });
});
