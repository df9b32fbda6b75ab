import type { Person } from '../support/user-agent.ts';
import { fetchIssuer, issuer, portal, refresh, signIn, type Tokens } from './outside.ts';
import { expect, say } from './tools.ts';

/** Steady requests of all kinds, from several callers at once. */
export interface Traffic {
  /** Stops it, and returns the number of requests and what failed. */
  stop(): Promise<{ requests: number; failures: string[] }>;
}

/**
 * Starts callers, and resolves when each is signed in. Each refreshes its sign-in again and again; a lost refresh token
 * is a failure too.
 */
export async function startTraffic(person: Person, callers = 3): Promise<Traffic> {
  let [running, requests] = [true, 0];
  const failures: string[] = [];
  const count = async (what: string, work: () => Promise<unknown>) => {
    requests += 1;
    const began = new Date().toISOString();
    await work().catch((error: Error) => {
      const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
      failures.push(`${began} ${what}: ${error.message}${cause}`);
    });
  };
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { status } = await fetchIssuer(`${issuer}${path}`, { headers });
    expect(status === 200, `answered ${status}`);
  };
  const call = async (first: Tokens) => {
    let tokens = first;
    while (running) {
      await count('discovery', () => get('/.well-known/openid-configuration'));
      await count('key set', () => get('/.well-known/jwks.json'));
      await count('verify', () => get('/auth/verify', { authorization: `Bearer ${tokens.access_token}` }));
      await count('refresh', async () => {
        tokens = await refresh(portal, tokens.refresh_token);
      });
      await count('password sign-in', async () => {
        const body = JSON.stringify(person);
        const headers = { 'content-type': 'application/json' };
        const { status } = await fetchIssuer(`${issuer}/auth/login`, { method: 'POST', headers, body });
        expect(status === 200, `answered ${status}`);
      });
    }
  };
  const signedIn = await Promise.all(Array.from({ length: callers }, () => signIn(portal, person)));
  const ended = Promise.all(signedIn.map(call));
  return {
    stop: async () => {
      running = false;
      await ended;
      return { requests, failures };
    },
  };
}

/** Does some work under traffic. Throws if a single request failed. */
export async function withoutFailure(person: Person, work: () => Promise<void>): Promise<void> {
  const traffic = await startTraffic(person);
  const problem = await work().then(
    () => undefined,
    (error: Error) => error,
  );
  const { requests, failures } = await traffic.stop();
  if (problem !== undefined) throw problem;
  say(`   ${requests} requests, ${failures.length} failed`);
  expect(failures.length === 0, failures.slice(0, 10).join('\n'));
}
