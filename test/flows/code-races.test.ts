import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, embeddedAndThreeProcesses } from '../support/deployment.ts';
import { type JsonAnswer, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, outcomesOf, standing, tally } from './apps.ts';

const clients = [
  appDocument('patient', { graceSeconds: 60 }),
  appDocument('strict', { graceSeconds: 0 }),
  appDocument('strict-spa', { graceSeconds: 0, auth: 'none' }),
  appDocument('usual'),
  appDocument('brief', {
    grants: ['authorization_code'],
    graceSeconds: 60,
    scopes: ['openid', 'email', 'profile', 'contracts:read'],
  }),
];

describe.each(embeddedAndThreeProcesses)(
  'G2, a code is spent once and only by its owner, on $name',
  ({ start }) => {
    let deployment: Deployment;
    let agent: UserAgent;
    beforeAll(async () => {
      deployment = await start({ clients });
      agent = createUserAgent(deployment);
    }, 120_000);
    afterAll(() => deployment?.stop());

    const codeFor = (app: TestClient) => app.code(agent, { scope: allScopes });
    const live = (app: TestClient, token: string) => standing(deployment, app, token);

    test('of 100 parallel redemptions one succeeds, and its tokens work', async () => {
      const app = createApp(deployment, 'patient');
      const code = await codeFor(app);
      const redeemed = await atOnce(100, () => app.redeem(code));
      expect(outcomesOf(redeemed)).toEqual({ 200: 1, invalid_grant: 99 });
      expect(tally(redeemed.map(({ status }) => status))).toEqual({ 200: 1, 400: 99 });
      const tokens = tokensOf(redeemed.find(({ status }) => status === 200) as JsonAnswer);
      expect(await live(app, tokens.access_token)).toBe('live');
      const refreshed = tokensOf(await app.refresh(tokens.refresh_token));
      expect(await live(app, refreshed.access_token)).toBe('live');
    });

    // Without a family of refresh tokens, only the code itself records the first redemption.
    test('of 40 parallel redemptions of a client without refresh tokens one succeeds', async () => {
      const app = createApp(deployment, 'brief');
      const code = await codeFor(app);
      const redeemed = await atOnce(40, () => app.redeem(code));
      expect(outcomesOf(redeemed)).toEqual({ 200: 1, invalid_grant: 39 });
      const tokens = tokensOf(redeemed.find(({ status }) => status === 200) as JsonAnswer);
      expect(await live(app, tokens.access_token)).toBe('live');
      expect(tokens).not.toHaveProperty('refresh_token');
    });

    test('a client whose document does not list the grant refresh_token gets no refresh token', async () => {
      const app = createApp(deployment, 'brief');
      for (const scope of ['openid', `${allScopes} offline_access`])
        expect(tokensOf(await app.redeem(await app.code(agent, { scope })))).not.toHaveProperty(
          'refresh_token',
        );
    });

    test('a request without the owner’s proofs gets nothing and doesn’t spend the code', async () => {
      const app = createApp(deployment, 'strict');
      const code = await codeFor(app);
      const others = [
        await app.redeem(code, { code_verifier: 'w'.repeat(43) }),
        await app.redeem(code, { code_verifier: undefined }),
        await app.redeem(code, { redirect_uri: 'http://localhost:8080/elsewhere' }),
        await createApp(deployment, 'usual').redeem(code, { redirect_uri: app.redirectUri }),
        await createApp(deployment, 'strict-spa', 'public').redeem(code, { redirect_uri: app.redirectUri }),
        await createApp(deployment, 'strict', 'another-secret').redeem(code),
        await createApp(deployment, 'strict', 'public').redeem(code),
      ];
      expect(others.map(({ status, body }) => [status, body.error])).toEqual([
        [400, 'invalid_grant'],
        [400, 'invalid_grant'],
        [400, 'invalid_grant'],
        [400, 'invalid_grant'],
        [400, 'invalid_grant'],
        [401, 'invalid_client'],
        [401, 'invalid_client'],
      ]);
      const tokens = tokensOf(await app.redeem(code));
      expect(await live(app, tokens.access_token)).toBe('live');
    });

    test.each(['patient', 'usual'])(
      'within the grace of %s a repeat gets invalid_grant and ends nothing',
      async (id) => {
        const app = createApp(deployment, id);
        const code = await codeFor(app);
        const tokens = tokensOf(await app.redeem(code));
        const repeated = [await app.redeem(code), await app.redeem(code)];
        expect(outcomesOf(repeated)).toEqual({ invalid_grant: 2 });
        expect(await live(app, tokens.access_token)).toBe('live');
        expect((await app.refresh(tokens.refresh_token)).status).toBe(200);
      },
    );

    test.each([
      ['strict', undefined],
      ['strict-spa', 'public'],
    ])('after the grace of %s a repeat ends the tokens of that code and no others', async (id, secret) => {
      const app = createApp(deployment, id, secret);
      const earlier = await app.signIn(agent, { scope: allScopes });
      const code = await codeFor(app);
      const first = tokensOf(await app.redeem(code));
      const second = tokensOf(await app.refresh(first.refresh_token));
      const sibling = await app.signIn(agent, { scope: allScopes });

      const repeated = await app.redeem(code);
      expect([repeated.status, repeated.body.error]).toEqual([400, 'invalid_grant']);
      expect(await live(app, first.access_token)).toBe('dead');
      expect(await live(app, second.access_token)).toBe('dead');
      expect((await app.refresh(second.refresh_token)).body.error).toBe('invalid_grant');

      for (const other of [earlier, sibling]) {
        expect(await live(app, other.access_token)).toBe('live');
        expect((await app.refresh(other.refresh_token)).status).toBe(200);
      }
      // The session continues too: no page asks for a password.
      const again = await app.authorize(agent, { scope: allScopes, prompt: 'none' });
      expect(again.get('code')).toBeTruthy();
    });

    test('a repeat of a spent code without the owner’s proofs ends nothing', async () => {
      const app = createApp(deployment, 'strict');
      const code = await codeFor(app);
      const tokens = tokensOf(await app.redeem(code));
      const repeated = [
        await app.redeem(code, { code_verifier: 'w'.repeat(43) }),
        await app.redeem(code, { redirect_uri: 'http://localhost:8080/elsewhere' }),
        await createApp(deployment, 'usual').redeem(code, { redirect_uri: app.redirectUri }),
        await createApp(deployment, 'strict', 'another-secret').redeem(code),
      ];
      expect(outcomesOf(repeated)).toEqual({ invalid_grant: 3, invalid_client: 1 });
      expect(await live(app, tokens.access_token)).toBe('live');
      expect((await app.refresh(tokens.refresh_token)).status).toBe(200);
    });

    test("if a lost redemption ends the family during the winning one, the winner's tokens work together or not at all", async () => {
      const app = createApp(deployment, 'strict');
      for (let round = 0; round < 12; round += 1) {
        const code = await codeFor(app);
        const redeemed = await atOnce(3, () => app.redeem(code));
        const won = redeemed.filter(({ status }) => status === 200);
        const lost = redeemed.filter(({ status }) => status !== 200);
        expect(won.length).toBeLessThanOrEqual(1);
        expect(outcomesOf(lost)).toEqual({ invalid_grant: lost.length });
        for (const answer of won) {
          const tokens = tokensOf(answer);
          const { body } = await app.post('introspect', { token: tokens.access_token });
          const { status } = await app.refresh(tokens.refresh_token);
          expect(status).toBe(body.active ? 200 : 400);
        }
      }
    });
  },
);
