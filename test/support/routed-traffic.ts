import type { Deployment } from './deployment.ts';
import { apiLogin, callJsonApi, getProfile } from './json-api.ts';
import { silently } from './sign-in.ts';
import { bearer, createTestClient, demoApps, tokensOf } from './test-client.ts';
import { createUserAgent } from './user-agent.ts';
import { waitFor } from './wait-for.ts';

/** Steady calls through a load balancer: each request goes to one of the processes that are in service. */
export interface RoutedTraffic {
  /** Waits until each kind of call has made this many more rounds, from start to end. */
  rounds(count: number): Promise<void>;
  add(origins: readonly string[]): void;
  /** Takes processes out of service. Resolves when they have no request left. */
  remove(origins: readonly string[]): Promise<void>;
  /** The number of requests that these processes answered. */
  served(origins: readonly string[]): number;
  /** What went wrong in any call. */
  failures(): readonly string[];
  stop(): Promise<void>;
}

export function createRoutedTraffic(deployment: Deployment): RoutedTraffic {
  const inService = new Set(deployment.origins);
  const open = new Map<string, number>();
  const answered = new Map<string, number>();
  const failed: string[] = [];
  let turn = 0;
  let stopped = false;
  const count = (map: Map<string, number>, key: string, by: number) => map.set(key, (map.get(key) ?? 0) + by);

  const fetchRouted: Deployment['fetch'] = async (input, init) => {
    const origins = [...inService];
    const origin = origins[turn++ % origins.length] ?? '';
    count(open, origin, 1);
    try {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      const body = request.method === 'GET' ? null : await request.arrayBuffer();
      const { method, headers } = request;
      const answer = await fetch(`${origin}${pathname}${search}`, {
        method,
        headers,
        body,
        redirect: 'manual',
      });
      const text = await answer.arrayBuffer();
      count(answered, origin, 1);
      const empty = [204, 205, 304].includes(answer.status);
      return new Response(empty ? null : text, { status: answer.status, headers: answer.headers });
    } finally {
      count(open, origin, -1);
    }
  };
  const target = { ...deployment, fetch: fetchRouted };
  const rounds = [refreshes(target), codeFlows(target), signIns(target)].map((round) => ({ round, done: 0 }));
  const running = rounds.map(async (kind) => {
    while (!stopped) {
      await kind.round().catch((error: Error) => failed.push(error.message));
      kind.done += 1;
    }
  });

  return {
    rounds: async (more) => {
      const before = rounds.map(({ done }) => done);
      const enough = () => rounds.every(({ done }, index) => done >= (before[index] ?? 0) + more + 1);
      await waitFor(enough, { timeoutMs: 120_000, what: `${more} rounds of each kind of call` });
    },
    add: (origins) => {
      for (const origin of origins) inService.add(origin);
    },
    remove: async (origins) => {
      for (const origin of origins) inService.delete(origin);
      await waitFor(() => origins.every((origin) => (open.get(origin) ?? 0) === 0));
    },
    served: (origins) => origins.reduce((sum, origin) => sum + (answered.get(origin) ?? 0), 0),
    failures: () => failed,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
    },
  };
}

type Round = () => Promise<void>;

function expectStatus(what: string, { status }: { status: number }, expected: number): void {
  if (status !== expected) throw new Error(`${what} answered ${status}`);
}

/** One app that refreshes its tokens again and again. All rounds use one family. */
function refreshes(target: Deployment): Round {
  let refreshToken: string | undefined;
  return async () => {
    refreshToken ??= (await apiLogin(target)).refreshToken;
    const answer = await callJsonApi(target, '/auth/refresh', { refreshToken });
    expectStatus('/auth/refresh', answer, 200);
    refreshToken = String(answer.body.refreshToken);
    expectStatus('/user/profile', await getProfile(target, String(answer.body.accessToken)), 200);
  };
}

/** One browser that stays signed in. Each round is a code flow, a refresh, and a call with the token. */
function codeFlows(target: Deployment): Round {
  const agent = createUserAgent(target);
  const app = createTestClient(target, demoApps.web);
  const scope = 'openid email offline_access contracts:read';
  let known = false;
  return async () => {
    if (known && (await silently(agent, app)) !== 'code') throw new Error('the browser is signed out');
    const tokens = await app.signIn(agent, { scope });
    known = true;
    const refreshed = tokensOf(await app.refresh(tokens.refresh_token));
    for (const token of [tokens.access_token, refreshed.access_token]) {
      const introspected = await app.post('introspect', { token });
      if (introspected.body.active !== true) throw new Error('introspection: not active');
      const verified = await target.fetch(`${target.issuer}/auth/verify`, { headers: bearer(token) });
      expectStatus('/auth/verify', verified, 200);
    }
  };
}

/** A new sign-in in each round, whose access token is then revoked. */
function signIns(target: Deployment): Round {
  const app = createTestClient(target, demoApps.firstParty);
  return async () => {
    const { access_token: token } = tokensOf(
      await app.passwordGrant({ scope: 'openid profile email contracts:read' }),
    );
    expectStatus('/user/profile', await getProfile(target, token), 200);
    expectStatus('/oauth2/revoke', await app.post('revoke', { token }), 200);
    // Revocations are in force everywhere at once, also between releases.
    expectStatus(
      '/auth/verify',
      await target.fetch(`${target.issuer}/auth/verify`, { headers: bearer(token) }),
      401,
    );
  };
}
