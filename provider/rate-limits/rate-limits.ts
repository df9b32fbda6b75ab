import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import { isFailedGuess } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { requestOrigin } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { emailKey } from '../ports/account-store.ts';
import type { Limits } from '../ports/limits.ts';
import { createDeviceGuard } from './device-guard.ts';
import { createKnownBrowsers, type KnownBrowsers } from './known-browsers.ts';
import { createLimitKeys } from './limit-keys.ts';
import { createLocalFallback } from './local-fallback.ts';
import { createRecentRefusals } from './recent-refusals.ts';
import { createRequestGuard, type LimitedRequest } from './request-guard.ts';
import { createResponseTimeQuantizer, type ResponseTimeQuantizer } from './response-time-quantizer.ts';
import { createSignInGuard } from './sign-in-guard.ts';

export interface RateLimitsOptions {
  config: Pick<Config, 'limitsPercent' | 'issuer'>;
  /** `limits` is shared by all processes, `localLimits` belongs to this one. */
  ports: { limits: Limits; localLimits: Limits };
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Logger;
  metrics: Pick<Metrics, 'limited' | 'limitsLocal'>;
  /** For tests; waits so many milliseconds. */
  pause?(ms: number): Promise<unknown>;
}

/**
 * How often something may be tried, and what callers learn from the time of an answer. This folder decides about limits
 * only: it knows neither accounts nor clients nor HTTP. Each method counts for the address of the request under way and
 * throws `too_many_requests` or `overloaded`.
 */
export interface RateLimits {
  /**
   * Counts a try at a password, and runs it. A failed one is answered at a fixed step of time.
   * @param visitor `browser` is what `browsers.read` gave, where there is one
   */
  signIn<T>(visitor: { email: string; browser?: string | undefined }, work: () => Promise<T>): Promise<T>;
  signUp<T>(work: () => Promise<T>): Promise<T>;
  /** Counts a try at the current password by a person who is signed in. */
  provePassword<T>(accountId: string, work: () => Promise<T>): Promise<T>;
  /** The browsers in which a person signed in before, by the address that was typed. */
  browsers: Pick<KnownBrowsers, 'read' | 'know'>;
  /** Counts a request before anything is done for it. */
  count(action: LimitedRequest): Promise<void>;
  /** Whether a client's secret is right; wrong ones are counted. */
  clientSecret(clientId: string, matches: () => boolean): Promise<boolean>;
  /** Looks up a user code (RFC 8628 §5.1); one that finds nothing is counted. */
  userCode<T>(lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Whether a device asks more often than it may (RFC 8628 §3.5). */
  pollsTooSoon(deviceCode: string): Promise<boolean>;
  /** The hashing pool reports here how long hashes and their waits take. */
  responseTimes: Pick<ResponseTimeQuantizer, 'waited' | 'worked'>;
}

export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { config, ports, serverKeys, clock, logger, metrics } = options;
  const shared = {
    limits: createLocalFallback({
      shared: ports.limits,
      local: ports.localLimits,
      clock,
      logger,
      isLocal: (is) => metrics.limitsLocal.set(is ? 1 : 0),
    }),
    keys: createLimitKeys(serverKeys),
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
  const responseTimes = createResponseTimeQuantizer({ clock, pause: options.pause });
  const browsers = createKnownBrowsers({ keys: serverKeys, clock, issuer: config.issuer });
  const address = () => requestOrigin().ip;
  return {
    signIn: ({ email, browser: cookie }, work) => {
      const account = accountOf(email);
      const browser = cookie === undefined ? undefined : browsers.browserOf(cookie, account);
      return responseTimes.run(
        () => passwords.signIn({ account, address: address(), browser }, work),
        ({ error }) => isFailedGuess(error),
      );
    },
    signUp: (work) =>
      responseTimes.run(
        () => passwords.signUp(address(), work),
        ({ error }) => error === undefined,
      ),
    provePassword: (accountId, work) => passwords.signIn({ account: accountId, address: address() }, work),
    browsers: { read: browsers.read, know: (ctx, email) => browsers.know(ctx, accountOf(email)) },
    count: (action) => requests.request(action, address()),
    clientSecret: (client, matches) => requests.clientSecret({ client, address: address() }, matches),
    userCode: (lookUp) => devices.userCode(address(), lookUp),
    pollsTooSoon: devices.pollsTooSoon,
    responseTimes,
  };
}

/** An account as it was named, however it was typed. */
const accountOf = (email: string) => emailKey(email.trim());
