import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { createUserAgent, stepOf } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { beginAt, enterCode } from './devices.ts';

const at = (path: string) => `https://shop.example${path}`;

const shop = appDocument('shop', {
  scopes: ['openid', 'roles', 'groups'],
  name: 'Shop',
  grants: ['authorization_code', 'device_code'],
  clientUri: at('/'),
  logoUri: at('/logo.png'),
  policyUri: at('/privacy'),
  tosUri: at('/terms'),
});

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startEmbedded({
    clients: [shop],
    env: { GATEHOUSE_DEVICE_FLOW: 'true', GATEHOUSE_LANGUAGES: 'en de' },
  });
}, 120_000);
afterAll(() => deployment?.stop());

test('the pages for sign-in, sign-up, consent and a device show the logo, policy and terms of the client', async () => {
  const app = createApp(deployment, 'shop');
  const agent = createUserAgent(deployment);
  const signIn = await agent.get(app.authorizationUrl({ scope: 'openid roles groups' }));
  const signUp = await agent.get(stepOf(signIn, '/sign-up'));
  const { user_code } = await beginAt(app, 'openid');
  const consent = await agent.submit(signIn, { email: demo.email, password: demo.password });
  const pages = {
    signIn,
    signUp,
    consent,
    device: await enterCode(deployment, createUserAgent(deployment), user_code),
  };
  for (const [name, { html, headers }] of Object.entries(pages)) {
    const shown = [
      `<img class="logo" src="${at('/logo.png')}" alt=""`,
      `<a href="${at('/')}" rel="noopener noreferrer"><bdi>shop.example</bdi></a>`,
      `<a href="${at('/privacy')}" rel="noopener noreferrer">Privacy policy of <bdi>Shop</bdi></a>`,
      `<a href="${at('/terms')}" rel="noopener noreferrer">Terms of service of <bdi>Shop</bdi></a>`,
    ];
    expect({ name, missing: shown.filter((part) => !html.includes(part)) }).toEqual({ name, missing: [] });
    expect(headers.get('content-security-policy')).toContain("img-src 'self' https:;");
  }
  expect(consent.html).toContain('<bdi>See your roles</bdi>');
  expect(consent.html).toContain('<bdi>See the groups you belong to</bdi>');
  const visitor = createUserAgent(deployment);
  const asked = await visitor.get(app.authorizationUrl({ ui_locales: 'de', scope: 'openid roles groups' }));
  const german = await visitor.submit(asked, { email: demo.email, password: demo.password });
  expect(german.html).toContain('<bdi>Ihre Rollen sehen</bdi>');
  expect(german.html).toContain('<bdi>Ihre Gruppen sehen</bdi>');
});
