import type { Browser } from 'playwright-core';
import { deviceFlow, tvDocument } from '../flows/devices.ts';
import { launchBrowser } from '../support/chromium.ts';
import { type Deployment, startEmbedded } from '../support/deployment.ts';
import { createTestClient, type TestClient, tokensOf } from '../support/test-client.ts';
import { type CallbackServer, type CallbackServerOptions, startCallbackServer } from './callback-server.ts';

/** Everything that a journey needs: one Gatehouse, one browser, and clients with their own callbacks. */
export interface World {
  deployment: Deployment;
  browser: Browser;
  app: CallbackServer;
  /** A third-party client, which needs consent. */
  web: TestClient;
  /** The same client with the redirect URI `app.hop`. */
  hopping: TestClient;
  firstParty: TestClient;
  /** A third-party client with an https callback that redirects to another origin. */
  secureHopping: TestClient;
  /** A third-party client on a device. */
  tv: TestClient;
  /** The origin of the app under another host name. It belongs to the site of the issuer, so a frame has the issuer's cookies. */
  neighbour: string;
  /** Origins that a browser may send requests to. */
  origins: Set<string>;
  stop(): Promise<void>;
}

export interface Person {
  email: string;
  password: string;
}

/** Starts everything. Parts stop in reverse order. If one part cannot start, the parts before it are stopped. */
export async function startWorld(): Promise<World> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const each of stops.reverse()) await each();
  };
  const startServer = async (options: CallbackServerOptions) => {
    const server = await startCallbackServer(options);
    stops.push(server.close);
    return server;
  };
  try {
    const elsewhere = await startServer({ onward: () => '/' });
    const app = await startServer({ onward: () => `${elsewhere.origin}/landed` });
    const secure = await startServer({ secure: true, onward: (port) => `https://127.0.0.1:${port}/landed` });
    const deployment = await startEmbedded({ clients: clientDocuments(app, secure), env: deviceFlow });
    stops.push(deployment.stop);
    const launched = await launchBrowser({ bypassCsp: false });
    stops.push(launched.close);
    const browser = launched.context.browser();
    if (!browser) throw new Error('the browser is gone');
    const client = (id: string, redirectUri: string) => createTestClient(deployment, { id, redirectUri });
    const landing = secure.origin.replace('localhost', '127.0.0.1');
    const neighbour = app.origin.replace('127.0.0.1', 'localhost');
    return {
      deployment,
      browser,
      app,
      web: client('contracts-web', app.callback),
      hopping: client('contracts-web', app.hop),
      firstParty: client('own-app', app.callback),
      secureHopping: client('secure-web', secure.hop),
      tv: client('contracts-tv', ''),
      neighbour,
      origins: new Set([deployment.issuer, app.origin, neighbour, secure.origin, landing]),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clientDocuments(app: CallbackServer, secure: CallbackServer): unknown[] {
  const shared = { auth: 'none', scopes: ['openid', 'email', 'profile', 'offline_access', 'contracts:read'] };
  const links = {
    clientUri: 'https://contracts.example.com',
    policyUri: 'https://contracts.example.com/privacy',
    tosUri: 'https://contracts.example.com/terms',
  };
  const redirectUris = [app.callback, app.hop];
  return [
    {
      ...shared,
      ...links,
      id: 'contracts-web',
      name: 'Contracts Web',
      redirectUris,
      postLogoutRedirectUris: [`${app.origin}/bye`],
    },
    { ...shared, id: 'own-app', name: 'Our own app', firstParty: true, redirectUris },
    tvDocument('contracts-tv', { ...shared, name: 'Contracts TV', secrets: undefined }),
    { ...shared, id: 'secure-web', name: 'Secure Web', redirectUris: [secure.hop] },
  ];
}

let people = 0;

/** Creates an unused account without consents. */
export async function newPerson({ deployment }: World): Promise<Person> {
  people += 1;
  const person = { email: `person-${people}@example.com`, password: `a quiet evening ${people}` };
  await register(deployment, person);
  return person;
}

/** Creates an account by the API. */
export async function register(deployment: Deployment, person: Person): Promise<void> {
  const answer = await deployment.fetch(`${deployment.issuer}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(person),
  });
  if (!answer.ok) throw new Error(`no account: ${answer.status} ${await answer.text()}`);
}

/** Redeems the code and returns the email address from userinfo. */
export async function whoSignedIn(
  { deployment }: World,
  client: TestClient,
  code: string | null | undefined,
): Promise<string> {
  const { access_token: token } = tokensOf(await client.redeem(code ?? ''));
  const headers = { authorization: `Bearer ${token}` };
  const answer = await deployment.fetch(`${deployment.issuer}/oauth2/userinfo`, { headers });
  const { email } = (await answer.json()) as { email?: string };
  return email ?? `nobody (${answer.status})`;
}
