import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { KeyStore, StoredKeySet } from '../ports/key-store.ts';
import { keptKeys, nextChangeAt, publishedKeys, signingKey } from './key-schedule.ts';
import { type KeySet, type KeyTimes, parseKeySet, type SigningKey, usualKeptSeconds } from './key-set.ts';
import { ensureKeySet } from './rotation.ts';

type KeyRingLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface KeyRingDeps extends Omit<KeyTimes, 'keptSeconds'> {
  store: KeyStore;
  clock: Clock;
  logger: KeyRingLogger;
  metrics: Pick<Metrics, 'keysReloadFailures'>;
  /** A new version is found within this time. Each wait is up to 20 percent shorter, so that processes spread out. */
  pollSeconds: number;
  /** Retired keys verify `id_token_hint`s for this many seconds. The default is 30 days. */
  keptSeconds?: number;
}

/** The keys of a key set by their use at one time. */
export interface CurrentKeys {
  signing: SigningKey;
  /** The keys in the JWKS. The signing key is first. */
  published: SigningKey[];
  /** The keys that verify tokens that we signed ourselves. The signing key is first. */
  kept: SigningKey[];
  /** The version of the stored set. */
  version: string;
}

export interface KeyRing {
  /**
   * Loads the key set, creates it if there is none, and then watches it. Rejects when it can neither load nor create a
   * set.
   */
  start(): Promise<void>;
  /** Gives the keys for the current time. Throws before `start`. */
  current(): CurrentKeys;
  /**
   * Adds a listener. It is called after the signing key, the published keys or the kept keys change, because of a new
   * version or the time. Returns a function that removes the listener.
   */
  onChange(changed: (keys: CurrentKeys) => void): () => void;
  /** Checks the store now. Never rejects: an error is logged, and the last valid set stays in use. */
  refresh(): Promise<void>;
  /** Stops watching. Resolves when no work is in progress. */
  close(): Promise<void>;
}

interface Loaded {
  version: string;
  set: KeySet;
}

// The maximum delay of setTimeout is a 31-bit number.
const longestTimerMs = 2 ** 31 - 1;

const answer = ({ signing, published, kept }: CurrentKeys) =>
  [[signing], published, kept].map((keys) => keys.map(({ kid }) => kid).join()).join(';');

/** Reads the stored set. Returns the current one when nothing changed. Throws when the set isn't usable. */
function read(stored: StoredKeySet | undefined, loaded: Loaded | undefined): Loaded {
  if (stored === undefined) throw new Error('the key store is empty');
  if (stored.version === loaded?.version) return loaded;
  return { version: stored.version, set: parseKeySet(stored.value) };
}

function reckon({ set, version }: Loaded, now: number, times: KeyTimes): CurrentKeys {
  return {
    signing: signingKey(set, now),
    published: publishedKeys(set, now, times),
    kept: keptKeys(set, now, times),
    version,
  };
}

/**
 * Reports every change of the current keys to the listeners. When a listener throws, the change is reported again
 * later.
 */
function createAnnouncer(logger: KeyRingLogger) {
  const listeners = new Set<(keys: CurrentKeys) => void>();
  let told = '';
  const tell = (keys: CurrentKeys) => {
    if (answer(keys) === told) return;
    try {
      for (const listener of listeners) listener(keys);
      told = answer(keys);
      logger.info({ signing: keys.signing.kid, published: keys.published.length }, 'signing keys in use');
    } catch (error) {
      logger.warn({ err: error }, 'new signing keys not in use yet, trying again');
    }
  };
  return { listeners, tell };
}

/** Holds the last valid key set, follows the store and the clock, and calls the listeners at every change. */
export function createKeyRing(deps: KeyRingDeps): KeyRing {
  const { store, clock, logger, metrics } = deps;
  const times: KeyTimes = { ...deps, keptSeconds: deps.keptSeconds ?? usualKeptSeconds };
  const { listeners, tell } = createAnnouncer(logger);
  let loaded: Loaded | undefined;
  let failing = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let lastLook: Promise<void> = Promise.resolve();

  const current = (): CurrentKeys => {
    if (loaded === undefined) throw new Error('the key ring was used before it was started');
    return reckon(loaded, clock.now(), times);
  };
  const take = (next: Loaded) => {
    if (loaded !== undefined && !next.set.keys.some(({ kid }) => kid === current().signing.kid)) {
      const fields = { kid: current().signing.kid };
      logger.error(fields, 'new key set lacks the last signing key, its tokens are refused');
    }
    loaded = next;
  };
  const look = async () => {
    if (loaded !== undefined) tell(current());
    try {
      take(read(await store.load(), loaded));
      if (failing) logger.info({}, 'key set can be read again');
      failing = false;
    } catch (error) {
      metrics.keysReloadFailures.inc();
      if (!failing) logger.warn({ err: error }, 'key set cannot be read, keeping the last good one');
      failing = true;
    }
    if (loaded !== undefined) tell(current());
  };
  // Checks run one after the other. Each starts after it was requested.
  const refresh = () => {
    lastLook = lastLook.then(look);
    return lastLook;
  };
  const schedule = () => {
    if (closed || loaded === undefined) return;
    const poll = deps.pollSeconds * 1000 * (0.8 + Math.random() * 0.2);
    const change = (nextChangeAt(loaded.set, clock.now(), times) ?? Number.POSITIVE_INFINITY) - clock.now();
    const delay = Math.max(1, Math.min(poll, change, longestTimerMs));
    timer = setTimeout(() => void refresh().then(schedule), delay);
    timer.unref();
  };

  return {
    start: async () => {
      loaded = read(await ensureKeySet({ store, clock }), undefined);
      tell(current());
      schedule();
    },
    current,
    onChange: (changed) => {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    refresh,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await lastLook;
    },
  };
}
