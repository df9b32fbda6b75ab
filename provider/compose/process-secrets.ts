import type { UrlReading } from '../lib/connection-urls.ts';
import { type Credential, readCredential } from '../lib/credentials.ts';
import { ConfigurationError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { parseSecretReference, readSecretReference } from '../lib/secret-reference.ts';
import type { SecretChange, Secrets } from '../ports/secrets.ts';

/** The secrets of a process, from all places. */
export interface ProcessSecrets extends Secrets {
  /**
   * Gives a function that reads a secret and makes a value of its text. If the first call fails, the function throws.
   * Later, while the secret can't be read or used, it gives the last good value. This is logged once, and counts in
   * `outdated`.
   *
   * @param make throws an error without the secret when it can't use the text
   */
  follow<T>(reference: string, make: (text: string) => T): () => Promise<T>;
  /** How many secrets can't be read or used now, so that their last good value is in use. */
  outdated(): number;
}

/** @param open gives the place that a reference names. It calls `report` for the changes that the place sees itself */
export function createProcessSecrets(
  logger: Pick<Logger, 'info' | 'warn'>,
  open: (report: (change: SecretChange) => void) => (reference: string) => Secrets,
): ProcessSecrets {
  const outdated = { read: new Set<string>(), use: new Set<string>() };
  const note = (set: Set<string>, { state, reference, reason }: SecretChange) => {
    if (state === 'outdated') set.add(reference);
    else set.delete(reference);
    if (state === 'waiting') logger.warn({ reference, reason }, 'secret not read yet, trying again');
    else if (state === 'current') logger.info({ reference }, 'secret can be read again');
    else logger.warn({ reference, reason }, 'secret cannot be read, keeping the last good value');
  };
  const of = open((change) => note(outdated.read, change));
  const resolve = async (reference: string) => of(reference).resolve(reference);
  return {
    resolve,
    candidates: async (reference) => of(reference).candidates(reference),
    follow: (reference, make) => {
      let good: { value: ReturnType<typeof make> } | undefined;
      let failing = false;
      return async () => {
        try {
          good = { value: make(await resolve(reference)) };
          if (failing) note(outdated.use, { state: 'current', reference });
          failing = false;
        } catch (error) {
          if (good === undefined) throw error;
          const reason = error instanceof Error ? error.message : String(error);
          if (!failing) note(outdated.use, { state: 'outdated', reference, reason });
          failing = true;
        }
        return good.value;
      };
    },
    outdated: () => new Set([...outdated.read, ...outdated.use]).size,
  };
}

const unread = async (reference: string) => {
  parseSecretReference(reference);
  return 'unread';
};

/** For checks: it refuses the references that could not be read at any time, and reads no secret. */
export const unreadSecrets: Secrets = {
  resolve: unread,
  candidates: async (reference) => [await unread(reference)],
};

/** Where the credentials for a database or Redis come from. They are read again for new connections. */
export interface CredentialSource {
  current(): Promise<Credential>;
  candidates(): Promise<Credential[]>;
}

function followCredential(
  secrets: ProcessSecrets,
  reference: string,
  make: (text: string) => Credential,
): CredentialSource {
  const current = secrets.follow(reference, make);
  const same = (one: Credential, other: Credential) =>
    one.user === other.user && one.password === other.password;
  return {
    current,
    candidates: async () => {
      const texts = await secrets.candidates(reference).catch(() => []);
      const first = await current();
      const others = texts.flatMap((text) => {
        try {
          return [make(text)];
        } catch {
          // `current` has reported why the current value can't be used.
          return [];
        }
      });
      return [first, ...others.filter((other) => !same(other, first))];
    },
  };
}

/** The credential behind the reference of a password setting. */
export const credentialOf = (
  secrets: ProcessSecrets,
  reference: string | undefined,
): CredentialSource | undefined =>
  reference === undefined
    ? undefined
    : followCredential(secrets, reference, (text) => readCredential(reference, text));

interface Address {
  user?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

export interface Connection {
  url: string;
  /** Undefined when the URL is in the setting itself, or when it has no password. */
  credentials: CredentialSource | undefined;
}

/**
 * Reads the connection URL that a setting holds or refers to. The credentials of a URL behind a reference are read again
 * for new connections. Another host, port, database or parameter needs a restart: until then, the URL counts as one that
 * can't be used.
 *
 * @throws ConfigurationError when the URL can't be read or used. It never contains the URL.
 */
export async function connectionOf<A extends Address>(
  secrets: ProcessSecrets,
  setting: string,
  read: (text: string) => UrlReading<A>,
): Promise<Connection> {
  if (readSecretReference(setting) === undefined) return { url: setting, credentials: undefined };
  const addressIn = (text: string): A => {
    const reading = read(text);
    if (reading.ok) return reading.value;
    throw new ConfigurationError(
      reading.problems.map((problem) => `The URL in the secret ${setting} ${problem}.`),
    );
  };
  const url = await secrets.resolve(setting);
  const first = addressIn(url);
  if (first.password === undefined) return { url, credentials: undefined };
  const place = (address: A) =>
    JSON.stringify({ ...address, user: undefined, username: undefined, password: undefined });
  const credentials = followCredential(secrets, setting, (text) => {
    const address = addressIn(text);
    if (place(address) !== place(first))
      throw new ConfigurationError([
        `The URL in the secret ${setting} names another place than at the start. Restart to use it.`,
      ]);
    return { user: address.user ?? address.username, password: address.password ?? '' };
  });
  return { url, credentials };
}
