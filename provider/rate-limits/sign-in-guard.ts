import { isFailedGuess } from '../lib/errors.ts';
import type { BucketRule, Limits } from '../ports/limits.ts';
import { clientNetworkOf, type LimitKeys } from './limit-keys.ts';
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
   * @param who the account as it was named, where from, and in which browser, if the account signed in there before
   */
  signIn<T>(who: Visitor, work: () => Promise<T>): Promise<T>;
  /** Counts those sign-ups that `work` accepts. */
  signUp<T>(address: string | undefined, work: () => Promise<T>): Promise<T>;
}

export interface Visitor {
  account: string;
  address: string | undefined;
  browser?: string | undefined;
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
    const place = clientNetworkOf(address);
    return (['address', 'network'] as const).map((by) => ({
      by,
      key: keys(action, by, place[by]),
      rule: scaled(buckets[action][by], deps.percent),
    }));
  };
  const refuse = (action: Action, refusal: Refusal, address: string | undefined) =>
    tooMany(deps, action, { ...refusal, address: address ?? 'unknown' });

  const newcomerBuckets = (account: string, address: string | undefined): Bucket[] => {
    const { network } = clientNetworkOf(address);
    const rules = buckets.newcomer;
    return [
      { by: 'network', key: keys('newcomer', 'network', account, network), rule: rules.network },
      { by: 'account', key: keys('newcomer', 'account', account), rule: rules.account },
    ];
  };
  /** What strangers to the account take, all of it or none. */
  const takeShared = async ({ account, address }: Visitor): Promise<Taken> => {
    const places = placeBuckets('sign-in', address);
    const key = keys('sign-in', 'account', account);
    const first = [...places, { by: 'account' as const, key, rule: buckets['sign-in'].account }];
    const refusal = await takeAll(limits, first);
    if (refusal?.by !== 'account') return { taken: refusal ? [] : first, refusal };
    const newcomer = newcomerBuckets(account, address);
    // One after the other: a network that had its tries takes none from the others.
    for (const [index, bucket] of newcomer.entries()) {
      if ((await limits.take(bucket.key, bucket.rule)) === 0) continue;
      await settle(giveBack(limits, newcomer.slice(0, index)));
      return { taken: [], refusal };
    }
    const second = await takeAll(limits, places);
    if (!second) return { taken: [...places, ...newcomer], refusal: undefined };
    await settle(giveBack(limits, newcomer));
    return { taken: [], refusal: second };
  };

  return {
    signIn: async (who, work) => {
      const { account, address, browser } = who;
      const here = keys('sign-in', 'pair', account, clientNetworkOf(address).address);
      const pair = browser === undefined ? here : keys('sign-in', 'pair', account, 'browser', browser);
      const { waitMs, known } = await limits.attempt(pair, passwordTries);
      if (waitMs > 0) throw refuse('sign-in', { by: 'pair', waitMs }, address);
      const isStranger = !known && browser === undefined;
      const { taken, refusal } = isStranger ? await takeShared(who) : { taken: [], refusal: undefined };
      const takeBack = () => settle([limits.withdraw(pair), ...giveBack(limits, taken)]);
      if (refusal) {
        await limits.withdraw(pair);
        throw refuse('sign-in', refusal, address);
      }
      const result = await work().catch(async (error: unknown) => {
        if (!isFailedGuess(error)) await takeBack();
        throw error;
      });
      const forgiven = [...new Set([pair, here])].map((key) => limits.forgive(key, knownSeconds));
      await settle([...forgiven, ...giveBack(limits, taken)]);
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

/** What was taken, or why nothing was. */
interface Taken {
  taken: readonly Bucket[];
  refusal: Refusal | undefined;
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
