import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Credential } from '../../provider/lib/credentials.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';

/** Where credentials come from. User name and password of a credential are from one version of one secret. */
export interface DatabaseCredentials {
  /** The credential for the next connection. May come from a cache. */
  current(): Promise<Credential>;
  /**
   * All credentials that may be right now, the current one first, read past any cache. Without it, the current one is
   * the only one, and its refusal ends the attempt. An IAM token is made anew each time, so another one would not help.
   */
  candidates?(): Promise<Credential[]>;
}

type Open = (credential: Credential) => Promise<Client>;

/** A search for a credential that the server accepts, and the connection that it opened with it. */
interface Found {
  credential: Credential;
  connection: Client | undefined;
}

/** How long searches look once only after one that found nothing. */
const hopelessMs = 10_000;

/** SQLSTATE invalid_password: the server refused the user name or the password. */
const isRefused = (error: unknown) => (error as { code?: unknown } | undefined)?.code === '28P01';

const same = (one: Credential, other: Credential) =>
  one.user === other.user && one.password === other.password;

/**
 * Gives a function that opens a connection with a credential that the server accepts.
 *
 * A rotation has a time in which the current value is refused: first the server has the next password, then the secret
 * shows it. So after a refusal, one search for all waiting connections reads the secret again, tries every candidate,
 * and repeats this until `budgetMs` is over. The others then use what it found.
 *
 * The function throws StoreUnavailable when the first credential can't be read, and the server's error when it refused
 * all of them.
 */
export function createCredentialedOpen(
  credentials: DatabaseCredentials,
  budgetMs: number,
  open: Open,
): () => Promise<Client> {
  /** What to use for as long as the current credential is the one that was refused. */
  let instead: { refused: Credential; use: Credential } | undefined;
  let search: Promise<Found> | undefined;
  /** Until then a search looks once only. Otherwise every request would wait as long as the one before it, in vain. */
  let hopelessUntil = 0;

  const next = async () => {
    const current = await credentials.current().catch((cause: unknown) => {
      throw new StoreUnavailable('postgres', cause);
    });
    return instead && same(instead.refused, current) ? instead.use : current;
  };

  const { candidates } = credentials;
  if (candidates === undefined) return async () => open(await next());

  const tryAll = async (): Promise<Found | undefined> => {
    // The reader reports a secret that can't be read. The next round tries again.
    const [current, ...others] = await candidates().catch(() => []);
    if (current === undefined) return undefined;
    for (const credential of [current, ...others]) {
      try {
        const connection = await open(credential);
        instead = credential === current ? undefined : { refused: current, use: credential };
        return { credential, connection };
      } catch (error) {
        if (!isRefused(error)) throw error;
      }
    }
    return undefined;
  };

  const findAccepted = async (refusal: unknown): Promise<Found> => {
    const startedAt = performance.now();
    const until = startedAt < hopelessUntil ? startedAt : startedAt + budgetMs;
    for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, 1000)) {
      const found = await tryAll();
      if (found) return found;
      if (performance.now() + waitMs > until) {
        hopelessUntil = Math.max(hopelessUntil, until + hopelessMs);
        throw refusal;
      }
      await pause(waitMs);
    }
  };

  return async () => {
    const credential = await next();
    try {
      return await open(credential);
    } catch (refusal) {
      if (!isRefused(refusal)) throw refusal;
      search ??= findAccepted(refusal).finally(() => {
        search = undefined;
      });
      const found = await search;
      const { connection } = found;
      // The first of the waiting connections takes the one that the search opened.
      found.connection = undefined;
      return connection ?? open(found.credential);
    }
  };
}
