import { type Connection, get, openConnection, postForm, postJson } from './connection.ts';
import type { LimitName } from './limits.ts';
import type { Worker } from './load.ts';
import { accepted, authorizing, bearer, refreshing, type SignedIn, signedIn } from './signed-in.ts';
import type { StockOperation } from './stock-operations.ts';
import { password, type World } from './world.ts';

/** A limit, and the share of it that is the goal. */
export interface Comparison {
  limit: LimitName;
  aim?: number;
}

/** An operation that is measured, and the limits for its comparison. */
export interface Operation {
  name: string;
  /** The limits that docs/speed.md compares the operation with, by CPU time. */
  limits: readonly Comparison[];
  worker(world: World, index: number): Promise<Worker>;
}

const signatures: Comparison = { limit: 'RSA-2048 signatures (Node)' };
const stock = (name: StockOperation, aim: number): Comparison => ({
  limit: `stock oidc-provider: ${name}`,
  aim,
});
const koa = (aim: number): Comparison => ({ limit: 'a bare Koa answer', aim });

/** The operations, the most frequent ones first. */
export const operations: Operation[] = [
  {
    name: 'client_credentials',
    limits: [stock('client_credentials', 0.95), signatures],
    worker: clientCredentials,
  },
  {
    name: 'refresh, with id token',
    limits: [stock('refresh, with id token', 0.95), signatures],
    worker: withTokens(refreshing),
  },
  { name: 'refresh by /auth/refresh', limits: [signatures], worker: apiRefresh },
  {
    name: 'code flow in a session',
    limits: [stock('code flow in a session', 0.85), signatures],
    worker: withTokens(codeFlow),
  },
  { name: 'code to token', limits: [signatures], worker: withTokens(codeToToken) },
  // The ratio to the hashes is the share of the hash in all CPU time of a sign-in.
  { name: 'password sign-in', limits: [{ limit: 'argon2id hashes', aim: 0.75 }], worker: passwordSignIn },
  { name: 'introspection', limits: [koa(0.2)], worker: withTokens(introspection) },
  { name: '/auth/verify', limits: [koa(0.35)], worker: withTokens(verification) },
  { name: 'discovery', limits: [koa(0.6)], worker: reading('/.well-known/openid-configuration') },
  { name: 'JWKS', limits: [koa(0.6)], worker: reading('/.well-known/jwks.json') },
];

function withTokens(make: (connection: Connection, person: SignedIn) => Worker): Operation['worker'] {
  return async (world) => make(openConnection(world.port), await signedIn(world));
}

async function clientCredentials({ port }: World): Promise<Worker> {
  const connection = openConnection(port);
  const credentials = Buffer.from('demo-service:demo-service-secret').toString('base64');
  const authorization = { Authorization: `Basic ${credentials}` };
  const request = postForm('/oauth2/token', { grant_type: 'client_credentials' }, authorization);
  return { once: async () => void accepted(await connection.send(request)) };
}

async function passwordSignIn({ port, known }: World, index: number): Promise<Worker> {
  const connection = openConnection(port);
  const request = postJson('/auth/login', { email: known[index], password });
  return { once: async () => void accepted(await connection.send(request)) };
}

async function apiRefresh({ port, known }: World, index: number): Promise<Worker> {
  const connection = openConnection(port);
  const login = await connection.send(postJson('/auth/login', { email: known[index], password }));
  let { refreshToken } = accepted(login) as { refreshToken: string };
  return {
    once: async () => {
      const answer = await connection.send(postJson('/auth/refresh', { refreshToken }));
      ({ refreshToken } = accepted(answer) as { refreshToken: string });
    },
  };
}

function codeFlow(connection: Connection, person: SignedIn): Worker {
  const { authorize, redeem } = authorizing(connection, person);
  return { once: async () => void (await redeem(await authorize())) };
}

/** The codes are issued before the round. */
function codeToToken(connection: Connection, person: SignedIn): Worker {
  const { authorize, redeem } = authorizing(connection, person);
  const codes: string[] = [];
  return {
    prepare: async (seconds) => {
      // More codes than one of several connections can redeem.
      for (let left = seconds * 120; left > 0; left -= 1) codes.push(await authorize());
    },
    once: async () => {
      const code = codes.pop();
      return code !== undefined && redeem(code);
    },
  };
}

function introspection(connection: Connection, { accessToken, basic }: SignedIn): Worker {
  const request = postForm('/oauth2/introspect', { token: accessToken }, basic);
  return {
    once: async () => {
      if (accepted(await connection.send(request)).active !== true)
        throw new Error('the token is not active');
    },
  };
}

function verification(connection: Connection, { accessToken }: SignedIn): Worker {
  const request = get('/auth/verify', bearer(accessToken));
  return { once: async () => void accepted(await connection.send(request)) };
}

function reading(path: string): Operation['worker'] {
  return async ({ port }) => {
    const connection = openConnection(port);
    const request = get(path);
    return { once: async () => void accepted(await connection.send(request)) };
  };
}
