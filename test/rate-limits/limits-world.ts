import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Limits } from '../../provider/ports/limits.ts';
import { createRateLimits } from '../../provider/rate-limits/rate-limits.ts';
import type { LimitedRequest } from '../../provider/rate-limits/request-rules.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Runs `work` in a request from this address. */
export const from = <T>(clientAddress: string, work: () => T): T =>
  runInRequestScope({ requestId: 'a-request', clientAddress, userAgent: undefined }, work);

/** All limits over stores in memory. The calls of the shared store are counted by method. Pauses take no time. */
export function createLimitsWorld({ percent = 100 } = {}) {
  const clock = createManualClock();
  const store = new MemoryLimits({ clock });
  const calls: Record<string, number> = {};
  const failing = new Set<string>();
  const watched = (watchedStore: MemoryLimits, called: (name: string) => void) =>
    new Proxy(watchedStore, {
      get:
        (target, name) =>
        async (...args: unknown[]) => {
          called(String(name));
          if (failing.has(String(name))) throw new Error('away');
          return Reflect.apply(Reflect.get(target, name, target), target, args);
        },
    }) as Limits;
  const limited: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const limits = createRateLimits({
    config: { limitsPercent: percent, issuer: 'https://id.example.com' },
    limits: watched(store, (name) => {
      calls[name] = (calls[name] ?? 0) + 1;
    }),
    localLimits: watched(new MemoryLimits({ clock }), () => {}),
    serverKeys: createServerKeys(['a-secret-for-tests-of-the-limits']),
    clock,
    logger: { info: (fields) => void lines.push(fields), warn: () => {} },
    metrics: {
      limited: { inc: ({ action, by }) => void limited.push(`${action} by ${by}`) },
      limitsLocal: { set: () => {} },
    },
    pause: async () => {},
  });
  const outcome = async (work: Promise<unknown>) => {
    try {
      await work;
      return 'ok';
    } catch (error) {
      return error instanceof GatehouseError ? error.code : String(error);
    }
  };
  /** The token versions of accounts. */
  const versions: Record<string, number> = {};
  const tokenVersionOf = (email: string) => versions[email.trim().toLowerCase()] ?? 1;
  const signIn = (email: string, address: string, work: () => Promise<void>, browser?: string) =>
    from(address, () =>
      limits.signIn({ email, browser, tokenVersion: async () => tokenVersionOf(email) }, work),
    );
  /** Tries to sign in, with an attempt that ends like this; gives its outcome. */
  const attempt = (
    email: string,
    address: string,
    ends: 'ok' | GatehouseError['code'] = 'ok',
    browser?: string,
  ) =>
    outcome(
      signIn(
        email,
        address,
        async () => {
          if (ends !== 'ok') throw new GatehouseError(ends, ends);
        },
        browser,
      ),
    );
  /** Tries a code of an app after the right password, with an attempt that ends like this. */
  const attemptCode = (
    email: string,
    address: string,
    ends: 'ok' | GatehouseError['code'],
    tried: { challengeId?: string; browser?: string } = {},
  ) =>
    from(address, () =>
      outcome(
        limits.signIn(
          { email, tokenVersion: async () => tokenVersionOf(email), hasAppCode: true, ...tried },
          async () => {
            if (ends !== 'ok') throw new GatehouseError(ends, ends);
          },
        ),
      ),
    );
  return {
    clock,
    attemptCode,
    store,
    /** Gives the account a new token version, as a new password does. */
    endTokens: (email: string) => {
      versions[email] = tokenVersionOf(email) + 1;
    },
    hashingCaller: limits.hashingCaller,
    calls,
    failing,
    limited,
    lines,
    outcome,
    signIn,
    attempt,
    signUp: (address: string, work: () => Promise<void>) => from(address, () => limits.signUp(work)),
    count: (action: LimitedRequest, address: string) => from(address, () => limits.count(action)),
    countSession: (session: string, address: string) => from(address, () => limits.countSession(session)),
    clientSecret: ({ client, address }: { client: string; address: string }, matches: () => boolean) =>
      from(address, () => limits.clientSecret(client, matches)),
    userCode: <T>(address: string, lookUp: () => Promise<T | undefined>) =>
      from(address, () => limits.userCode(lookUp)),
    pollsTooSoon: limits.pollsTooSoon,
    askForMail: limits.askForMail,
    passwordReplaced: limits.passwordReplaced,
    /** The cookie of a new browser in which the account has signed in. */
    knownBrowser: (email: string): string => {
      let cookie = '';
      const append = (_field: string, value: string) => {
        cookie = /^__Host-gatehouse_known=([^;]+);/.exec(value)?.[1] ?? '';
      };
      limits.browsers.know(
        { cookies: { get: () => undefined }, append },
        { email, tokenVersion: tokenVersionOf(email) },
      );
      return cookie;
    },
  };
}
