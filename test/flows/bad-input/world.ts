import { type Deployment, demo } from '../../support/deployment.ts';
import type { Secrets } from '../../support/secrets.ts';
import { createTestClient, demoApps, type Parameters, type TestClient } from '../../support/test-client.ts';
import { createUserAgent, hiddenField, type UserAgent } from '../../support/user-agent.ts';
import { formsOf } from '../account-pages.ts';
import { appDocument, nativeDocument } from '../apps.ts';

export const callback = 'https://app.example.com/callback';

/** Clients in addition to the demo clients. */
export const clients = [
  appDocument('exact', {
    redirectUris: [callback, 'https://app.example.com/other'],
    scopes: ['openid', 'contracts:read'],
  }),
  nativeDocument,
  {
    ...appDocument('first-party-backend', { firstParty: true, grants: ['password', 'refresh_token'] }),
    redirectUris: undefined,
    postLogoutRedirectUris: undefined,
    scopes: ['openid'],
  },
];

/** A sign-in under way, as the browser holds it. */
export interface Waiting {
  /** `/interaction/{uid}` */
  path: string;
  /** The page's hidden field. */
  csrf: string;
  cookie: string;
}

/** What rows need in advance: a session, sign-ins under way, codes and form tokens. */
export interface World {
  deployment: Deployment;
  exact: TestClient;
  web: TestClient;
  /** The cookies of a browser with a session of a person who agreed to `openid` for the app `exact`. */
  cookie(): string;
  /** The path and query of an authorization request of `exact`. */
  authorize(parameters?: Parameters): string;
  /** A new browser at the sign-in page. */
  waiting(): Promise<Waiting>;
  /** A new browser at the consent page. */
  consenting(): Promise<Waiting>;
  /** The token of a form of the signed-in person's account page. */
  accountForm(action: string): Promise<string>;
  /** A new code of `exact`. */
  code(): Promise<string>;
}

/** Signs a person in, and collects every secret of the sign-in. */
export async function createWorld(deployment: Deployment, secrets: Secrets): Promise<World> {
  const web = createTestClient(deployment, demoApps.web);
  const exact = createTestClient(deployment, { id: 'exact', secret: 'exact-secret', redirectUri: callback });
  const agent = createUserAgent(deployment);
  await exact.authorize(agent);
  const cookie = () => noted(secrets, agent);

  const waiting = async (consent: boolean): Promise<Waiting> => {
    const visitor = createUserAgent(deployment);
    let shown = await visitor.get(web.authorizationUrl());
    const { email, password } = demo;
    if (consent) shown = await visitor.submit(shown, { email, password });
    const csrf = hiddenField(shown, 'csrf');
    const path = /\/interaction\/[^/?]+/.exec(shown.url)?.[0] ?? '';
    secrets.add('a form token', csrf);
    return { path, csrf, cookie: noted(secrets, visitor) };
  };
  return {
    deployment,
    web,
    exact,
    cookie,
    authorize: (parameters) => exact.authorizationUrl(parameters).slice(deployment.issuer.length),
    waiting: () => waiting(false),
    consenting: () => waiting(true),
    accountForm: async (action) => {
      const shown = await agent.get(`${deployment.issuer}/account`);
      return secrets.add('a form token', hiddenField(formsOf(shown, action)[0] ?? shown, 'csrf'));
    },
    code: async () => secrets.add('a code', await exact.code(agent)),
  };
}

/** The browser's cookies as it sends them. Collects each value as a secret. */
function noted(secrets: Secrets, { cookies }: UserAgent): string {
  for (const [name, value] of cookies) if (value.length >= 8) secrets.add(`cookie ${name}`, value);
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
