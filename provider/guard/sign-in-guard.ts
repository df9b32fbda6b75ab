import { GatehouseError } from '../lib/errors.ts';
import type { BucketRule, Limits } from '../ports/limits.ts';
import type { LimitKeys } from './limit-keys.ts';
import { placeOf } from './places.ts';
import { longest, type Refusal, type RefusalDeps, tooMany } from './refusals.ts';
import { type Action, type By, buckets, knownSeconds, passwordTries, scaled } from './rules.ts';

export interface SignInGuardDeps extends RefusalDeps {
  limits: Limits;
  keys: LimitKeys;
  /** How much larger or smaller limits by address and network are than in the table. */
  percent: number;
}

export interface SignInGuard {
  /**
   * Counts the try before `work` makes it, so that parallel guesses get no more tries; a right one takes that back. It asks
   * nothing of whether there is such an account. Throws `too_many_requests`, and what `work` throws.
   * @param who the account as it was named, and where from
   */
  signIn<T>(who: { account: string; address: string | undefined }, work: () => Promise<T>): Promise<T>;
  /** Counts those sign-ups that `work` accepts. */
  signUp<T>(address: string | undefined, work: () => Promise<T>): Promise<T>;
}

interface Bucket {
  by: By;
  key: string;
  rule: BucketRule;
}

/** Limits for passwords and new accounts (OWASP Authentication Cheat Sheet; NIST SP 800-63B §5.2.2). */
export function createSignInGuard(deps: SignInGuardDeps): SignInGuard {
  const { limits, keys } = deps;
  const placeBuckets = (action: 'sign-in' | 'sign-up', address: string | undefined): Bucket[] => {
    const place = placeOf(address);
    return (['address', 'network'] as const).map((by) => ({
      by,
      key: keys(action, by, place[by]),
      rule: scaled(buckets[action][by], deps.percent),
    }));
  };
  const refuse = (action: Action, refusal: Refusal, address: string | undefined) =>
    tooMany(deps, action, { ...refusal, address: address ?? 'unknown' });

  return {
    signIn: async ({ account, address }, work) => {
      const pair = keys('sign-in', 'pair', account, placeOf(address).address);
      const { waitMs, known } = await limits.attempt(pair, passwordTries);
      if (waitMs > 0) throw refuse('sign-in', { by: 'pair', waitMs }, address);
      const accountKey = keys('sign-in', 'account', account);
      const strangers = { by: 'account' as const, key: accountKey, rule: buckets['sign-in'].account };
      const shared = known ? [] : [...placeBuckets('sign-in', address), strangers];
      const takeBack = () => settle([limits.withdraw(pair), ...giveBack(limits, shared)]);
      const refusal = await takeAll(limits, shared);
      if (refusal) {
        await limits.withdraw(pair);
        throw refuse('sign-in', refusal, address);
      }
      const result = await work().catch(async (error: unknown) => {
        if (!isGuess(error)) await takeBack();
        throw error;
      });
      await settle([limits.forgive(pair, knownSeconds), ...giveBack(limits, shared)]);
      return result;
    },
    signUp: async (address, work) => {
      const shared = placeBuckets('sign-up', address);
      const refusal = await takeAll(limits, shared);
      if (refusal) throw refuse('sign-up', refusal, address);
      return work().catch(async (error: unknown) => {
        await settle(giveBack(limits, shared));
        throw error;
      });
    },
  };
}

/** Takes one from each, or from none. */
async function takeAll(limits: Limits, wanted: readonly Bucket[]): Promise<Refusal | undefined> {
  const takes = await Promise.all(
    wanted.map(async (bucket) => ({ bucket, waitMs: await limits.take(bucket.key, bucket.rule) })),
  );
  const refusal = longest(takes.map(({ bucket, waitMs }) => ({ by: bucket.by, waitMs })));
  if (refusal === undefined) return undefined;
  const taken = takes.filter(({ waitMs }) => waitMs === 0).map(({ bucket }) => bucket);
  await settle(giveBack(limits, taken));
  return refusal;
}

const giveBack = (limits: Limits, taken: readonly Bucket[]) =>
  taken.map(({ key, rule }) => limits.giveBack(key, rule));

/** A count that couldn't be taken back goes by itself: it mustn't cost anybody their sign-in. */
async function settle(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
}

/** Everything else says that no password was tried: too much to do, a store that is away, a new password that won't do. */
const isGuess = (error: unknown) =>
  error instanceof GatehouseError && ['invalid_credentials', 'account_disabled'].includes(error.code);
