import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Limits } from '../ports/limits.ts';
import { createCounters } from './counters.ts';
import { createDeviceLimits, type DeviceLimits } from './device-limits.ts';
import { createKnownBrowsers, type KnownBrowsers } from './known-browsers.ts';
import { createMailedProofLimits, type MailedProofLimits } from './mailed-proof-limits.ts';
import { createRefusal } from './refusals.ts';
import { createRequestLimits, type RequestLimits } from './request-limits.ts';
import {
  createResponseTimeQuantizer,
  createSignInLimits,
  type ResponseTimeQuantizer,
  type SignInLimits,
} from './sign-in-limits.ts';

/*
 * This folder decides how often something may be tried, and what a refusal says. The numbers are in rules.ts. It does not
 * know how counts are stored (ports/limits.ts), which endpoint counts as which action (http), or how a password is checked
 * (accounts). Every limit takes the client's address from the current request.
 */

/** All limits of the current request. Each method refuses with `too_many_requests` unless it says otherwise. */
export interface RateLimits extends SignInLimits, MailedProofLimits, RequestLimits, DeviceLimits {
  /** The cookie of browsers in which an account signed in before. */
  browsers: Pick<KnownBrowsers, 'read' | 'know'>;
  /** Must be called after each hash of a password: failed sign-ins are answered later than the most costly hash. */
  hashed: ResponseTimeQuantizer['hashed'];
}

export interface RateLimitsOptions {
  config: Pick<Config, 'limitsPercent' | 'issuer'>;
  /** Counts that all processes share. */
  limits: Limits;
  /** Counts of this process. */
  localLimits: Limits;
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'limited' | 'limitsLocal'>;
  /** Waits so many milliseconds. Default: a timer. For tests. */
  pause?: ((ms: number) => Promise<unknown>) | undefined;
}

export function createRateLimits(options: RateLimitsOptions): RateLimits {
  const { config, limits, localLimits, serverKeys, clock, logger, metrics } = options;
  const counters = createCounters({
    shared: limits,
    local: localLimits,
    keys: serverKeys,
    percent: config.limitsPercent,
    clock,
    logger,
    metrics,
  });
  const refusal = createRefusal({ logger, metrics });
  const quantizer = createResponseTimeQuantizer({ clock, pause: options.pause });
  const browsers = createKnownBrowsers({ keys: serverKeys, clock, issuer: config.issuer });
  const signIns = createSignInLimits({ counters, refusal, quantizer, browsers });
  const mailedProofs = createMailedProofLimits({ counters, refusal, quantizer });
  const requests = createRequestLimits({ counters, refusal });
  const devices = createDeviceLimits({ counters, refusal });
  return { ...signIns, ...mailedProofs, ...requests, ...devices, browsers, hashed: quantizer.hashed };
}
