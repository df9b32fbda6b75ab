import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { KeyStore, StoredKeySet } from '../ports/key-store.ts';
import { keptKeys, nextChangeAt, publishedKeys, signingKey } from './key-schedule.ts';
import { type KeySet, type KeyTimes, parseKeySet, type SigningKey } from './key-set.ts';
import { ensureKeySet } from './rotation.ts';

type KeyRingLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface KeyRingDeps extends Omit<KeyTimes, 'keptSeconds'> {
  store: KeyStore;
  clock: Clock;
  logger: KeyRingLogger;
  metrics: Pick<Metrics, 'keysReloadFailures'>;
  /** How often the store is asked for a new version, give or take a fifth. */
  pollSeconds: number;
  /** How long retired keys still check `id_token_hint`s; 30 days unless told. */
  keptSeconds?: number;
}

/** What the key set says at one time. */
export interface CurrentKeys {
  signing: SigningKey;
  /** For the JWKS; the signing key first. */
  published: SigningKey[];
  /** For checking what we signed ourselves; the signing key first. */
  kept: SigningKey[];
  /** The stored set's version. */
  version: string;
}

export interface KeyRing {
  /** Loads the set, makes the first one where there is none, and watches from then on. Rejects when there is none to be had. */
  start(): Promise<void>;
  /** Reckoned from the clock at every call. Throws before `start`. */
  current(): CurrentKeys;
  /** Called after the signing key, or the keys published or kept, changed: by a new version or by time. Gives a function that stops it. */
  onChange(changed: (keys: CurrentKeys) => void): () => void;
  /** Looks at the store now. Never rejects: what fails is logged and leaves the last good set in use. */
  refresh(): Promise<void>;
  /** Stops watching; resolves when nothing is under way any more. */
  close(): Promise<void>;
}

interface Loaded {
  version: string;
  set: KeySet;
}

// setTimeout counts in 31 bits.
const longestTimerMs = 2 ** 31 - 1;

const answer = ({ signing, published, kept }: CurrentKeys) =>
  [[signing], published, kept].map((keys) => keys.map(({ kid }) => kid).join()).join(';');

/** Reads the stored set; gives the one it has when nothing changed. Throws when it isn't usable. */
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

/** Passes every change of the answer on, until all listeners took it. */
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

/** Holds the last good key set, follows the store and the clock, and tells who asked of every change. */
export function createKeyRing(deps: KeyRingDeps): KeyRing {
  const { store, clock, logger, metrics } = deps;
  const times: KeyTimes = { ...deps, keptSeconds: deps.keptSeconds ?? 30 * 86_400 };
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
  // One look after the other, each begun after it was asked for.
  const refresh = () => {
    lastLook = lastLook.then(look);
    return lastLook;
  };
  const schedule = () => {
    if (closed || loaded === undefined) return;
    const poll = deps.pollSeconds * 1000 * (0.8 + Math.random() * 0.4);
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
