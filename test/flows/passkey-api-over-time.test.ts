import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { multiFactorAcr } from '../../provider/lib/password-sign-in.ts';
import {
  appPost,
  appSettings,
  askForNewPasskey,
  askForPasskey,
  newAnswer,
  personWithPasskey,
} from '../support/app-passkeys.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { apiLogin } from '../support/json-api.ts';
import { createSoftwarePasskey } from '../support/passkey-authenticator.ts';
import { newPerson } from '../support/sign-in.ts';
import { createTestClient, demoApps, type JsonAnswer } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { countRows } from './limits-world.ts';

const outcome = ({ status, body }: JsonAnswer) => [status, body.code];

describe('passkeys in an app with its own form, over time', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess([], appSettings);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const login = (challenge: string, credential: object) =>
    appPost(deployment, '/auth/passkey/login', { challenge, credential });
  const idOf = async (email: string) => (await deployment.ports.accounts.findByEmail(email))?.id ?? '';
  const offer = (token: string) => appPost(deployment, '/user/passkeys/options', {}, token);

  test('a challenge is valid for five minutes', async () => {
    const owner = await personWithPasskey(deployment);
    const [one, other] = [await askForPasskey(deployment), await askForPasskey(deployment)];
    deployment.advance(299);
    expect((await login(one.challenge, owner.answer(one))).status).toBe(200);
    deployment.advance(2);
    expect(outcome(await login(other.challenge, owner.answer(other)))).toEqual([401, 'passkey_expired']);
  });

  test('a used challenge is not valid again before it expires', async () => {
    const owner = await personWithPasskey(deployment);
    const request = await askForPasskey(deployment);
    const credential = owner.answer(request);
    expect((await login(request.challenge, credential)).status).toBe(200);
    deployment.advance(298);
    expect(outcome(await login(request.challenge, credential))).toEqual([401, 'passkey_expired']);
  });

  test('an answer says that the account is disabled only if the passkey was right', async () => {
    const owner = await personWithPasskey(deployment);
    const id = await idOf(owner.person.email);
    await deployment.unitOfWork.run(({ accounts }) => accounts.update(id, { state: 'disabled' }, Date.now()));
    expect(outcome(await owner.signIn())).toEqual([403, 'account_disabled']);
    expect(outcome(await owner.signIn({ rpId: 'evil.example' }))).toEqual([401, 'invalid_passkey']);
  });

  test('a removed passkey is unknown', async () => {
    const owner = await personWithPasskey(deployment);
    const id = await idOf(owner.person.email);
    await deployment.unitOfWork.run(({ passkeys }) => passkeys.remove(id, owner.passkey.id));
    expect(outcome(await owner.signIn())).toEqual([401, 'invalid_passkey']);
  });

  test('wrong answers count as wrong passwords do, and the person has to wait', async () => {
    const owner = await personWithPasskey(deployment);
    const request = await askForPasskey(deployment);
    const wrong = () => login(request.challenge, owner.answer(request, { rpId: 'evil.example' }));
    const answers = await Promise.all(Array.from({ length: 12 }, wrong));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect((await appPost(deployment, '/auth/login', owner.person)).status).toBe(429);
  });

  test('asking for options stores nothing, nor does an answer that is wrong, except the count of tries', async () => {
    const owner = await personWithPasskey(deployment);
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    const rows = async () => {
      const { rows: limits } = await database.query('select count(*) from limits');
      return (await countRows(database)) - Number(limits[0].count);
    };
    try {
      const before = await rows();
      const requests = await Promise.all(Array.from({ length: 20 }, () => askForPasskey(deployment)));
      expect(await rows()).toBe(before);
      const [request] = requests;
      if (!request) throw new Error('no options');
      const wrong = owner.answer(request, { origin: 'https://evil.example' });
      expect((await login(request.challenge, wrong)).status).toBe(401);
      expect(await rows()).toBe(before);
      expect((await login(request.challenge, owner.answer(request))).status).toBe(200);
      expect(await rows()).toBeGreaterThan(before);
    } finally {
      await database.end();
    }
  });

  describe('adding a passkey', () => {
    test('needs a sign-in of the last ten minutes, and a refresh does not make it newer', async () => {
      const tokens = await apiLogin(deployment, { ...(await newPerson(deployment)) });
      deployment.advance(599);
      const request = await askForNewPasskey(deployment, tokens.accessToken);
      deployment.advance(2);
      const { refreshToken } = tokens;
      const refreshed = await appPost(deployment, '/auth/refresh', { refreshToken });
      for (const token of [tokens.accessToken, String(refreshed.body.accessToken)]) {
        const answer = await offer(token);
        expect(outcome(answer)).toEqual([401, 'insufficient_user_authentication']);
        expect(answer.headers.get('www-authenticate')).toContain('max_age="600"');
      }
      // The ceremony that has begun may end.
      const credential = newAnswer(deployment, request, createSoftwarePasskey());
      const body = { challenge: request.challenge, credential };
      expect((await appPost(deployment, '/user/passkeys', body, tokens.accessToken)).status).toBe(201);
    });

    test('needs the second factor of an account that has one', async () => {
      const person = await newPerson(deployment);
      const { accessToken } = await apiLogin(deployment, { ...person });
      const request = await askForNewPasskey(deployment, accessToken);
      const add = (asked: typeof request) => {
        const credential = newAnswer(deployment, asked, createSoftwarePasskey());
        return appPost(deployment, '/user/passkeys', { challenge: asked.challenge, credential }, accessToken);
      };
      const second = await askForNewPasskey(deployment, accessToken);
      expect((await add(request)).status).toBe(201);
      for (const answer of [await offer(accessToken), await add(second)]) {
        expect(outcome(answer)).toEqual([401, 'insufficient_user_authentication']);
        expect(answer.headers.get('www-authenticate')).toContain(`acr_values="${multiFactorAcr}"`);
      }
    });

    test('is refused after the account was signed out everywhere, and to a third-party app', async () => {
      const person = await newPerson(deployment);
      const { accessToken } = await apiLogin(deployment, { ...person });
      const web = createTestClient(deployment, demoApps.web);
      const theirs = await web.signIn(createUserAgent(deployment), {}, person);
      expect(outcome(await offer(theirs.access_token))).toEqual([403, 'client_not_allowed']);
      const id = await idOf(person.email);
      await deployment.unitOfWork.run(({ accounts }) =>
        accounts.update(id, { raiseTokenVersion: true }, Date.now()),
      );
      expect(outcome(await offer(accessToken))).toEqual([401, 'invalid_token']);
    });

    test('ends at twenty passkeys', async () => {
      const owner = await personWithPasskey(deployment);
      const token = String((await owner.signIn()).body.accessToken);
      for (let count = 1; count < 20; count += 1) {
        const request = await askForNewPasskey(deployment, token);
        const credential = newAnswer(deployment, request, createSoftwarePasskey());
        const body = { challenge: request.challenge, credential };
        expect((await appPost(deployment, '/user/passkeys', body, token)).status).toBe(201);
      }
      expect(outcome(await offer(token))).toEqual([409, 'too_many_passkeys']);
    });
  });
});

describe('where passkeys are switched off', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess([], { ...appSettings, GATEHOUSE_PASSKEYS: 'off' });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('the endpoints say so, and no file names an app', async () => {
    for (const path of ['/auth/passkey/options', '/user/passkeys/options'])
      expect(outcome(await appPost(deployment, path, {}))).toEqual([403, 'passkeys_disabled']);
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/webauthn`);
    expect(answer.status).toBe(404);
  });
});
