import { isIPv4, isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { BucketRule, Limits } from '../ports/limits.ts';
import type { Refused } from './refusals.ts';
import { type Action, type By, buckets } from './rules.ts';

/** Where a request comes from, in the form in which it is counted. */
export interface ClientNetwork {
  address: string;
  network: string;
}

/** A count in the store: what it counts by, its key, and its rule. */
export interface Bucket {
  by: By;
  key: string;
  rule: BucketRule;
}

export interface CountersOptions {
  /** Counts that all processes share. */
  shared: Limits;
  /** Counts of this process. */
  local: Limits;
  keys: Pick<ServerKeys, 'lookupHashes'>;
  /** How many percent of the table's rules by address, network and in total apply. */
  percent: number;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'limitsLocal'>;
}

/** What the limits count with. */
export interface Counters {
  /** The shared counts; while their store can't be reached, those of this process. Never rejects for that reason. */
  limits: Limits;
  /** The counts of this process. */
  local: Limits;
  clock: Clock;
  /** A key for the store. It is a keyed hash, so that a copy of the store shows no addresses and no accounts. */
  key(action: Action, by: By, ...what: string[]): string;
  /** Where the current request comes from. */
  here(): ClientNetwork;
  /** A rule that depends on where callers are, scaled by configuration. */
  scaled(rule: BucketRule): BucketRule;
  /** The buckets by address, by network and, where there is one, for all together, of the current request. */
  bucketsHere(action: 'sign-in' | 'sign-up' | 'recover' | 'user-code'): Bucket[];
  /** Takes one from each bucket, or from none of them: then the refusal that lasts longest. */
  takeAll(wanted: readonly Bucket[]): Promise<Refused | undefined>;
  /** Gives back one to each bucket. It never rejects: what can't be given back comes back with time. */
  giveBack(taken: readonly Bucket[]): Promise<void>;
}

export function createCounters(options: CountersOptions): Counters {
  const { local, keys, percent, clock } = options;
  const limits = withFallback(options);
  // Only under the newest secret: when that is replaced, counting starts again.
  const key: Counters['key'] = (action, by, ...what) =>
    keys.lookupHashes('limit', JSON.stringify([action, by, ...what]))[0];
  const here = () => clientNetworkOf(currentRequestScope()?.clientAddress);
  const scaled = ({ burst, perSeconds }: BucketRule) => ({
    burst: Math.max(1, Math.round((burst * percent) / 100)),
    perSeconds,
  });
  const giveBack: Counters['giveBack'] = async (taken) => {
    await Promise.allSettled(taken.map((bucket) => limits.giveBack(bucket.key, bucket.rule)));
  };
  return {
    limits,
    local,
    clock,
    key,
    here,
    scaled,
    bucketsHere: (action) => {
      const values = { ...here(), all: 'everywhere' };
      const rules: Partial<Record<keyof typeof values, BucketRule>> = buckets[action];
      return (['address', 'network', 'all'] as const).flatMap((by) => {
        const rule = rules[by];
        return rule ? [{ by, key: key(action, by, values[by]), rule: scaled(rule) }] : [];
      });
    },
    takeAll: async (wanted) => {
      const takes = await Promise.all(
        wanted.map(async (bucket) => ({ bucket, waitMs: await limits.take(bucket.key, bucket.rule) })),
      );
      const refused = takes.filter(({ waitMs }) => waitMs > 0);
      const [longest] = refused.sort((one, other) => other.waitMs - one.waitMs);
      if (longest === undefined) return undefined;
      await giveBack(takes.filter(({ waitMs }) => waitMs === 0).map(({ bucket }) => bucket));
      return { by: longest.bucket.by, waitMs: longest.waitMs };
    },
    giveBack,
  };
}

/** How soon a shared store that failed is tried again. */
const retryMs = 2000;

/**
 * The shared limits. While their store can't be reached, the same rules hold in each process on its own: a request is not refused
 * because of an outage, and a flood does not get in. Only the request that finds the outage waits for the store. Later the
 * store is tried beside a request, which doesn't wait for it.
 */
function withFallback({ shared, local, clock, logger, metrics }: CountersOptions): Limits {
  let awaySince: number | undefined;
  let retryAt = 0;

  const failed = (error: unknown) => {
    retryAt = clock.now() + retryMs;
    if (awaySince !== undefined) return;
    awaySince = clock.now();
    metrics.limitsLocal.set(1);
    logger.warn({ err: error }, 'rate limit store lost: each process counts for itself');
  };
  const callShared = async <T>(call: (limits: Limits) => Promise<T>): Promise<T> => {
    const result = await call(shared);
    if (awaySince === undefined) return result;
    const seconds = Math.round((clock.now() - awaySince) / 1000);
    awaySince = undefined;
    metrics.limitsLocal.set(0);
    logger.info({ seconds }, 'rate limit store is back: all processes count together');
    return result;
  };
  const either = async <T>(call: (limits: Limits) => Promise<T>): Promise<T> => {
    if (awaySince !== undefined) {
      if (clock.now() >= retryAt) {
        retryAt = clock.now() + retryMs;
        void callShared(call).catch(failed);
      }
      return call(local);
    }
    try {
      return await callShared(call);
    } catch (error) {
      failed(error);
      return call(local);
    }
  };

  return {
    take: (key, rule) => either((limits) => limits.take(key, rule)),
    giveBack: (key, rule) => either((limits) => limits.giveBack(key, rule)),
    attempt: (key, rule) => either((limits) => limits.attempt(key, rule)),
    withdraw: (key) => either((limits) => limits.withdraw(key)),
    forgive: (key, version, knownSeconds) => either((limits) => limits.forgive(key, version, knownSeconds)),
    knownFor: (key) => either((limits) => limits.knownFor(key)),
  };
}

/**
 * An IPv4 address counts as itself and as its /24. For IPv6 the /64 counts as the address, because one household has a whole
 * /64 and its devices change addresses within it; the /48, which a site has, counts as the network.
 * @param address undefined when the connection is closed: all such requests count as one
 */
export function clientNetworkOf(address: string | undefined): ClientNetwork {
  const plain = (address ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) return { address: plain, network: `${plain.replace(/\.\d+$/, '.0')}/24` };
  if (!isIPv6(plain)) return { address: 'unknown', network: 'unknown' };
  const groups = groupsOf(plain);
  return { address: `${groups.slice(0, 4).join(':')}::/64`, network: `${groups.slice(0, 3).join(':')}::/48` };
}

/** The eight groups of an IPv6 address, without leading zeros (RFC 5952). */
function groupsOf(address: string): string[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = '', after] = canonical.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
}
