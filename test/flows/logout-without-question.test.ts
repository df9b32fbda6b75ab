import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { newPerson, openSignOut, silently } from '../support/sign-in.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { headingOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, signedOutUri, standing } from './apps.ts';

describe('signing out without a question (RP-Initiated Logout 1.0 §2)', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const clients = [
      appDocument('own', { firstParty: true }),
      appDocument('own-beside', { firstParty: true }),
      appDocument('own-asking', { firstParty: true, confirmLogout: true }),
      appDocument('web'),
      appDocument('web-unasked', { confirmLogout: false }),
    ];
    deployment = await startServers({ clients, processes: 1 });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const logout = (agent: UserAgent, parameters: Record<string, string>) =>
    openSignOut(deployment, agent, parameters);
  const back = { post_logout_redirect_uri: signedOutUri, state: 'a state' };
  const signedIn = async (id: string) => {
    const agent = createUserAgent(deployment);
    const app = createApp(deployment, id);
    const tokens = await app.signIn(agent, { scope: allScopes });
    return { agent, app, tokens, hint: tokens.id_token ?? '' };
  };
  const isSignedIn = async (agent: UserAgent, app: TestClient) => (await silently(agent, app)) === 'code';

  test.each(['own', 'web-unasked'])(
    '%s: the person goes straight back, and everything has ended',
    async (id) => {
      const { agent, app, tokens, hint } = await signedIn(id);
      const page = await logout(agent, { id_token_hint: hint, ...back });
      expect(page.url).toBe(`${signedOutUri}?state=a+state`);
      expect(await standing(deployment, app, tokens.access_token)).toBe('dead');
      expect((await app.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
      expect(await isSignedIn(agent, app)).toBe(false);
      expect(agent.cookies.has('gatehouse_session')).toBe(false);
    },
  );

  test('without an address to go back to, a page says so, in the language that was asked for', async () => {
    const { agent, hint } = await signedIn('own');
    const page = await logout(agent, { id_token_hint: hint, ui_locales: 'de' });
    expect([page.status, headingOf(page)]).toEqual([200, 'Sie sind abgemeldet']);
  });

  test.each(['web', 'own-asking'])('%s: the person is asked', async (id) => {
    const { agent, app, hint } = await signedIn(id);
    const page = await logout(agent, { id_token_hint: hint, ...back });
    expect(headingOf(page)).toBe('Sign out?');
    expect(await isSignedIn(agent, app)).toBe(true);
  });

  test('without a hint the person is asked, because anyone can send such a request', async () => {
    const { agent, app } = await signedIn('own');
    const page = await logout(agent, { client_id: 'own', ...back });
    expect(headingOf(page)).toBe('Sign out?');
    expect(await isSignedIn(agent, app)).toBe(true);
  });

  test('a hint for another person, or of an app that is not in this session, leads to the question', async () => {
    const { agent, app, tokens } = await signedIn('own');
    const elsewhere = await signedIn('own-beside');
    const stranger = createUserAgent(deployment);
    const other = await newPerson(deployment);
    const url = await signInAndAgree(stranger, await stranger.get(app.authorizationUrl()), other);
    const { body } = await app.redeem(new URL(url).searchParams.get('code') ?? '');
    for (const hint of [String(body.id_token), elsewhere.hint]) {
      expect(headingOf(await logout(agent, { id_token_hint: hint, ...back }))).toBe('Sign out?');
      expect(await isSignedIn(agent, app)).toBe(true);
    }
    expect(await standing(deployment, app, tokens.access_token)).toBe('live');
  });
});
