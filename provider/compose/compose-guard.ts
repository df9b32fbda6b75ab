import type { HashingPool, HashingPoolMetrics } from '../accounts/hashing-pool.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { createDeviceGuard } from '../rate-limits/device-guard.ts';
import { createKnownBrowsers, type KnownBrowsers } from '../rate-limits/known-browsers.ts';
import { createLimitKeys } from '../rate-limits/limit-keys.ts';
import { createLocalFallback } from '../rate-limits/local-fallback.ts';
import { createRecentRefusals } from '../rate-limits/recent-refusals.ts';
import { createRequestGuard, type LimitedRequest } from '../rate-limits/request-guard.ts';
import { createResponseTimeQuantizer } from '../rate-limits/response-time-quantizer.ts';
import { createSignInGuard } from '../rate-limits/sign-in-guard.ts';
import { emailKey } from '../ports/account-store.ts';
import type { Ports } from './adapters.ts';

export interface GuardParts {
  config: Pick<Config, 'limitsPercent' | 'issuer'>;
  ports: Pick<Ports, 'limits' | 'localLimits'>;
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Logger;
  metrics: Pick<Metrics, 'limited' | 'limitsLocal'>;
  /** For tests; waits so many milliseconds. */
  pause?(ms: number): Promise<unknown>;
}

export interface ComposedGuard {
  /**
   * Signs in, or makes an account, as often as limits let it; failures are answered on the grid.
   * @param browser what `browsers.read` gave, where there is one
   */
  signIn<T>(who: { email: string; browser?: string | undefined }, work: () => Promise<T>): Promise<T>;
  signUp<T>(work: () => Promise<T>): Promise<T>;
  /** A password tried by somebody who is signed in. */
  provePassword<T>(accountId: string, work: () => Promise<T>): Promise<T>;
  /** Which browsers somebody signed in with before, by the address they typed. */
  browsers: Pick<KnownBrowsers, 'read' | 'know'>;
  count(action: LimitedRequest): Promise<void>;
  clientSecret(clientId: string, matches: () => boolean): Promise<boolean>;
  /** Looks up a user code (RFC 8628 §5.1), as often as limits let it. */
  userCode<T>(lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Whether a device asks more often than it may (RFC 8628 §3.5). */
  pollsTooSoon(deviceCode: string): Promise<boolean>;
  /** The same pool, and the same metrics, which the grid listens to. */
  timedPool(pool: HashingPool): HashingPool;
  timedMetrics(metrics: HashingPoolMetrics): HashingPoolMetrics;
}

/** Limits of the request under way, by where it comes from. */
export function composeGuard(deps: GuardParts): ComposedGuard {
  const { config, ports, clock, logger, metrics } = deps;
  const shared = {
    limits: createLocalFallback({
      shared: ports.limits,
      local: ports.localLimits,
      clock,
      logger,
      isLocal: (is) => metrics.limitsLocal.set(is ? 1 : 0),
    }),
    keys: createLimitKeys(deps.serverKeys),
    percent: config.limitsPercent,
    logger,
    limited: (action: string, by: string) => metrics.limited.inc({ action, by }),
  };
  const passwords = createSignInGuard(shared);
  const requests = createRequestGuard({
    ...shared,
    local: ports.localLimits,
    refusals: createRecentRefusals(clock),
  });
  const devices = createDeviceGuard(shared);
  const grid = createResponseTimeQuantizer({ clock, pause: deps.pause });
  const browsers = createKnownBrowsers({ keys: deps.serverKeys, clock, issuer: config.issuer });
  const address = () => currentRequestScope()?.clientAddress;
  return {
    signIn: ({ email, browser }, work) => {
      const account = accountOf(email);
      const who = { account, address: address(), browser: browsers.browserOf(browser, account) };
      return grid.run(
        () => passwords.signIn(who, work),
        ({ error }) => isRefusal(error),
      );
    },
    signUp: (work) =>
      grid.run(
        () => passwords.signUp(address(), work),
        ({ error }) => error === undefined,
      ),
    provePassword: (accountId, work) => passwords.signIn({ account: accountId, address: address() }, work),
    browsers: { read: browsers.read, know: (ctx, email) => browsers.know(ctx, accountOf(email)) },
    count: (action) => requests.request(action, address()),
    clientSecret: (client, matches) => requests.clientSecret({ client, address: address() }, matches),
    userCode: (lookUp) => devices.userCode(address(), lookUp),
    pollsTooSoon: devices.pollsTooSoon,
    timedPool: (pool) => ({
      run: (job, signal) =>
        pool.run(async () => {
          const startedAt = clock.now();
          try {
            return await job();
          } finally {
            grid.worked(clock.now() - startedAt);
          }
        }, signal),
    }),
    timedMetrics: (heard) => ({
      ...heard,
      waited: (seconds) => {
        heard.waited(seconds);
        grid.waited(seconds * 1000);
      },
    }),
  };
}

/** However it was typed. */
const accountOf = (email: string) => emailKey(email.trim());

const isRefusal = (error: unknown) =>
  error instanceof GatehouseError && ['invalid_credentials', 'account_disabled'].includes(error.code);
