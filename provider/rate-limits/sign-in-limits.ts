import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as timer } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError, isFailedGuess, isHalfSignIn } from '../lib/errors.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import { emailKey } from '../ports/account-store.ts';
import type { Bucket, Counters } from './counters.ts';
import type { KnownBrowsers } from './known-browsers.ts';
import type { Refusal, Refused } from './refusals.ts';
import { buckets, knownSeconds, passwordTries, secondStepTurn } from './rules.ts';

/** A try at the password of an account. */
export interface PasswordTry {
  /** The address as the person typed it. */
  email: string;
  /** The result of `browsers.read`. */
  browser?: string | undefined;
  /**
   * Gives the current token version of the account; undefined when there is no account. It is called only for a place or
   * browser in which the account signed in before, and after a right password.
   */
  tokenVersion(): Promise<number | undefined>;
  /**
   * For a code: the id of the challenge that the right password gave. A sign-in of two steps is one try, which was counted
   * at the password. So the first code of a challenge neither waits nor counts again. Each further one does.
   */
  challengeId?: string | undefined;
  /** Whether the try has a code of an authenticator app. Such a code has six digits only, so it has a limit of its own. */
  hasAppCode?: boolean | undefined;
}

export interface SignInLimits {
  /**
   * Counts the try before `work` makes it, so that parallel guesses get no more tries; a right password takes the count back.
   * Whether the account exists makes no difference. A failed guess is answered at the next step of the quantizer. Throws
   * `too_many_requests`, and any error of `work`.
   *
   * A right password that needs a code too takes no count back; the right code does.
   *
   * Use it for every check of a password or a code, also when a person who is signed in enters the password again: there is one count
   * for one secret.
   */
  signIn<T>(tried: PasswordTry, work: () => Promise<T>): Promise<T>;
  /** Counts the sign-ups that `work` accepts, and answers those at the next step of the quantizer. */
  signUp<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Takes back the wrong passwords for an account from here, as a right password does: its owner has read a mail and chosen
   * a new one. It never rejects.
   */
  passwordReplaced(account: { email: string; tokenVersion: number }): Promise<void>;
  /**
   * The account and the network for which the current request hashes passwords; undefined outside of a request. The account
   * is an opaque key, and it does not have to exist.
   */
  hashingCaller(): { account?: string | undefined; network?: string | undefined };
}

export interface SignInLimitsOptions {
  counters: Counters;
  refusal: Refusal;
  quantizer: Pick<ResponseTimeQuantizer, 'run'>;
  browsers: Pick<KnownBrowsers, 'browserOf'>;
}

/** The buckets from which a try was taken, or the refusal. */
interface Taken {
  taken: readonly Bucket[];
  refused: Refused | undefined;
}

const nothing: Taken = { taken: [], refused: undefined };

const isWrongCode = (error: unknown) =>
  error instanceof GatehouseError && error.code === 'invalid_second_factor';

/** Limits for passwords, codes and new accounts (OWASP Authentication Cheat Sheet; NIST SP 800-63B §5.2.2). */
export function createSignInLimits(options: SignInLimitsOptions): SignInLimits {
  const { counters, refusal, quantizer, browsers } = options;
  const { limits, key, here, bucketsHere, takeAll, giveBack } = counters;

  const newcomerBuckets = (account: string): Bucket[] => [
    {
      by: 'network',
      key: key('newcomer', 'network', account, here().network),
      rule: buckets.newcomer.network,
    },
    { by: 'account', key: key('newcomer', 'account', account), rule: buckets.newcomer.account },
  ];
  const codeBuckets = (account: string): Bucket[] => [
    { by: 'account', key: key('second-factor', 'account', account), rule: buckets['second-factor'].account },
  ];
  /** One after the other: a network that has used up its tries takes none from the account's. */
  const takeInOrder = async (wanted: readonly Bucket[]): Promise<boolean> => {
    for (const [index, bucket] of wanted.entries()) {
      if ((await limits.take(bucket.key, bucket.rule)) === 0) continue;
      await giveBack(wanted.slice(0, index));
      return false;
    }
    return true;
  };
  /** For a caller that isn't known for the account: takes all of the shared limits, or none of them. */
  const takeShared = async (account: string): Promise<Taken> => {
    const places = bucketsHere('sign-in');
    const rule = buckets['sign-in'].account;
    const all = [...places, { by: 'account' as const, key: key('sign-in', 'account', account), rule }];
    const refused = await takeAll(all);
    if (refused?.by !== 'account') return { taken: refused ? [] : all, refused };
    // The account's own tries are used up: the newcomer's limits decide instead.
    const newcomer = newcomerBuckets(account);
    if (!(await takeInOrder(newcomer))) return { taken: [], refused };
    const refusedHere = await takeAll(places);
    if (!refusedHere) return { taken: [...places, ...newcomer], refused: undefined };
    await giveBack(newcomer);
    return { taken: [], refused: refusedHere };
  };

  /** The account that the current request tries a password for. */
  const triedAccount = new AsyncLocalStorage<string>();
  /** The id of the browser, if the account signed in there since its tokens were last ended. */
  const knownBrowser = async (account: string, { browser, tokenVersion }: PasswordTry) => {
    if (browser === undefined) return undefined;
    const known = browsers.browserOf(browser, account);
    return known && known.tokenVersion === (await tokenVersion()) ? known.id : undefined;
  };
  const tryPassword = async <T>(account: string, tried: PasswordTry, work: () => Promise<T>): Promise<T> => {
    const browser = await knownBrowser(account, tried);
    const pairHere = key('sign-in', 'pair', account, here().address);
    const pair = browser === undefined ? pairHere : key('sign-in', 'pair', account, 'browser', browser);
    const { challengeId } = tried;
    const isCounted =
      challengeId !== undefined &&
      (await limits.take(key('sign-in', 'pair', 'challenge', challengeId), secondStepTurn)) === 0;
    const { waitMs, knownFor } = isCounted
      ? { waitMs: 0, knownFor: await limits.knownFor(pair) }
      : await limits.attempt(pair, passwordTries);
    if (waitMs > 0) throw refusal('sign-in', { by: 'pair', waitMs });
    // If the account can't be read, `work` fails for the same reason.
    const tokenVersion = () => tried.tokenVersion().catch(() => undefined);
    /** Whether the account signed in from here since its tokens were last ended. */
    const isKnown = browser !== undefined || (knownFor !== undefined && knownFor === (await tokenVersion()));
    const { taken, refused } = isKnown ? nothing : await takeShared(account);
    if (refused) {
      if (!isCounted) await limits.withdraw(pair);
      throw refusal('sign-in', refused);
    }
    const codes = isKnown || !tried.hasAppCode ? [] : codeBuckets(account);
    const tooManyCodes = await takeAll(codes);
    if (tooManyCodes) {
      await Promise.allSettled([...(isCounted ? [] : [limits.withdraw(pair)]), giveBack(taken)]);
      throw refusal('second-factor', tooManyCodes);
    }
    const result = await work().catch(async (error: unknown) => {
      const keepsCount = isCounted || isHalfSignIn(error);
      if (!isWrongCode(error)) await giveBack(codes);
      if (!isFailedGuess(error))
        await Promise.allSettled([...(keepsCount ? [] : [limits.withdraw(pair)]), giveBack(taken)]);
      throw error;
    });
    // Counts that can't be taken back disappear with time: a failing store must not cost a person their sign-in.
    const version = await tokenVersion();
    const forgiven = [...new Set([pair, pairHere])].map((one) => limits.forgive(one, version, knownSeconds));
    await Promise.allSettled([...forgiven, giveBack([...taken, ...codes])]);
    return result;
  };

  return {
    signIn: (tried, work) => {
      const account = emailKey(tried.email);
      return quantizer.run(
        () => triedAccount.run(account, () => tryPassword(account, tried, work)),
        ({ error }) => isFailedGuess(error),
      );
    },
    hashingCaller: () => {
      const scope = currentRequestScope();
      return scope ? { account: triedAccount.getStore() ?? scope.accountId, network: here().network } : {};
    },
    passwordReplaced: async ({ email, tokenVersion }) => {
      const account = emailKey(email);
      const pair = key('sign-in', 'pair', account, here().address);
      await Promise.allSettled([limits.forgive(pair, tokenVersion, knownSeconds)]);
    },
    signUp: (work) =>
      quantizer.run(
        async () => {
          const taken = bucketsHere('sign-up');
          const refused = await takeAll(taken);
          if (refused) throw refusal('sign-up', refused);
          return work().catch(async (error: unknown) => {
            await giveBack(taken);
            throw error;
          });
        },
        ({ error }) => error === undefined,
      ),
  };
}

export interface ResponseTimeQuantizer {
  /**
   * Runs `work` and delays its outcome until the next step, counted from the start. Time in the queue of the hashing pool is
   * left out: steps move later by that time. Otherwise, on a busy server, the step that was missed would show how long the
   * work took.
   * @param isDelayed whether this outcome waits for the step; other outcomes are given at once
   */
  run<T>(work: () => Promise<T>, isDelayed: (outcome: { error?: unknown }) => boolean): Promise<T>;
  /** Reports, within `run`, how long a hash waited for its turn, and its cost as its parameters show it. */
  hashed(times: { waitMs: number; costMs: number }): void;
}

/** Not longer than a person who mistyped accepts to wait. */
const shortestStepMs = 1000;
const longestStepMs = 8000;

/** A hash whose cost is a larger part of the step than this could miss it, so the step is made longer. */
const mostOfStep = 0.8;

/** So long after the last costly hash, the step is short again. */
const costlyMs = 3_600_000;

/**
 * A failed sign-in is answered at fixed steps that are longer than the slowest hash in use. So the response time shows
 * neither the kind of an account's hash nor whether the account exists (DESIGN §4).
 *
 * The length of the step follows from the parameters of the hashes that were checked in the last hour. Measured times would
 * include the load of the server: then a short burst would make every answer late. A costly hash is remembered for an hour
 * only, because otherwise one imported account would make all wrong passwords slow. The first check after an hour shows
 * that its account has a costly hash. A sign-in replaces such a hash, so there are fewer of them every day.
 */
export function createResponseTimeQuantizer({
  clock,
  pause = timer,
}: {
  clock: Clock;
  /** Waits so many milliseconds. Default: a timer. For tests. */
  pause?: ((ms: number) => Promise<unknown>) | undefined;
}): ResponseTimeQuantizer {
  const queued = new AsyncLocalStorage<{ ms: number }>();
  /** When a hash last needed a step of this length. */
  const neededAt = new Map<number, number>();
  const stepMs = () => {
    const needed = [...neededAt].filter(([, at]) => clock.now() - at < costlyMs);
    return Math.max(shortestStepMs, ...needed.map(([length]) => length));
  };

  return {
    run: (work, isDelayed) =>
      queued.run({ ms: 0 }, async () => {
        const startedAt = clock.now();
        const nextStep = async () => {
          const spent = Math.max(0, clock.now() - startedAt - (queued.getStore()?.ms ?? 0));
          const step = stepMs();
          await pause(step - (spent % step));
        };
        try {
          const result = await work();
          if (isDelayed({})) await nextStep();
          return result;
        } catch (error) {
          if (isDelayed({ error })) await nextStep();
          throw error;
        }
      }),
    hashed: ({ waitMs, costMs }) => {
      const store = queued.getStore();
      if (store) store.ms += waitMs;
      let step = shortestStepMs;
      while (step < longestStepMs && costMs > step * mostOfStep) step *= 2;
      if (step > shortestStepMs) neededAt.set(step, clock.now());
    },
  };
}
