import type { SecretsManagerClient, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../../provider/lib/clock.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { unlessStopped } from '../../provider/lib/lifecycle.ts';
import { parseSecretReference } from '../../provider/lib/secret-reference.ts';
import type { SecretChange, Secrets } from '../../provider/ports/secrets.ts';
import { type AwsError, errorText, explainSecretError, isLasting } from './errors.ts';

export interface AwsSecretsOptions {
  clock: Clock;
  /** Settings of the SDK. By default, it takes region, address and credentials from the environment. */
  client?: SecretsManagerClientConfig;
  /** How long a value is used without a look at Secrets Manager, in milliseconds. The default is 45,000: less than the
   * time between two looks at client secrets, so that each look finds a new one. */
  freshMs?: number;
  /** How long after a failed read the next one starts, in milliseconds. The default is 10,000. */
  retryMs?: number;
  /**
   * How long the first read of the process is tried again, in milliseconds. The default is 30,000. EKS Pod Identity
   * gives credentials to a new pod after some seconds.
   */
  startPatienceMs?: number;
  /** How long a caller waits for a new value when there is a good older one, in milliseconds. The default is 1,000. */
  refreshPatienceMs?: number;
  onChange?(change: SecretChange): void;
  /** Aborted when the process stops. Then the first read ends at once. */
  stopping?: AbortSignal | undefined;
}

/** One secret in Secrets Manager. References to different keys of it share one value, so the keys fit together. */
interface Cached {
  /** The last read: its text, or why it failed. */
  read?: { text: string } | { error: AwsError };
  nextReadAt: number;
  reading?: Promise<string> | undefined;
}

const use = {
  missing: 'Check the name and the region. A secret without a value counts as missing too.',
  actions: ['GetSecretValue'],
};

function explain(reference: string, error: AwsError): ConfigurationError {
  const problem = `The secret ${reference} can't be read`;
  const network = 'Check the network path to Secrets Manager and the region.';
  return (
    explainSecretError(problem, error, use) ??
    new ConfigurationError([`${problem} (${errorText(error)}). ${network}`])
  );
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function withoutLineBreak(reference: string, text: string): string {
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new ConfigurationError([`The secret ${reference} is empty. Put the secret there.`]);
}

/** The text that the reference means. Throws a ConfigurationError when the secret does not have it. */
function pick(reference: string, text: string): string {
  const { name, key } = parseSecretReference(reference);
  if (key === undefined) return withoutLineBreak(reference, text);
  const advice = `Store an object with text under this key, or use secretsmanager:${name} for the whole text.`;
  const refuse = (problem: string) =>
    new ConfigurationError([`The secret ${reference} can't be used: ${problem}. ${advice}`]);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse('it holds no JSON');
  }
  const found = Object.entries(Object(parsed)).find(([property]) => property === key)?.[1];
  if (typeof found !== 'string') throw refuse('its JSON has no text under this key');
  return withoutLineBreak(reference, found);
}

/**
 * Secrets in AWS Secrets Manager: `secretsmanager:NAME`, or `secretsmanager:NAME#KEY` for one key of a JSON object. NAME
 * may be an ARN.
 *
 * A value is cached. When a later read fails, or the new value can't be used, the last good value stays in use. Until
 * the process has read its first secret, reads that may succeed soon are tried again for a bounded time.
 */
export class AwsSecrets implements Secrets {
  readonly #options: AwsSecretsOptions;
  readonly #cached = new Map<string, Cached>();
  readonly #good = new Map<string, string>();
  readonly #troubled = new Set<string>();
  readonly #rereads = new Map<string, Promise<string[]>>();
  #client: Promise<SecretsManagerClient> | undefined;
  #hasRead = false;

  constructor(options: AwsSecretsOptions) {
    this.#options = options;
  }

  async resolve(reference: string): Promise<string> {
    const { name } = parseSecretReference(reference);
    const good = this.#good.get(reference);
    try {
      return this.#use(reference, await this.#text(reference, name, good !== undefined));
    } catch (error) {
      if (good === undefined) throw error;
      this.#report('outdated', reference, error);
      return good;
    }
  }

  candidates(reference: string): Promise<string[]> {
    const running = this.#rereads.get(reference);
    if (running) return running;
    const reread = this.#reread(reference).finally(() => this.#rereads.delete(reference));
    this.#rereads.set(reference, reread);
    return reread;
  }

  async #reread(reference: string): Promise<string[]> {
    const { name } = parseSecretReference(reference);
    const cached = this.#entry(name);
    const pending = this.#stage(name, 'AWSPENDING').then(
      (text) => pick(reference, text),
      // There is a pending version only while a rotation is under way, or after one that failed.
      () => undefined,
    );
    await this.#refresh(name, cached).catch(() => undefined);
    const values = [await this.resolve(reference), await pending];
    return [...new Set(values.filter((value) => value !== undefined))];
  }

  #use(reference: string, text: string): string {
    const value = pick(reference, text);
    this.#good.set(reference, value);
    if (this.#troubled.delete(reference)) this.#options.onChange?.({ state: 'current', reference });
    return value;
  }

  #report(state: 'waiting' | 'outdated', reference: string, error: unknown): void {
    if (this.#troubled.has(reference)) return;
    this.#troubled.add(reference);
    this.#options.onChange?.({ state, reference, reason: errorText(error) });
  }

  #entry(name: string): Cached {
    const cached = this.#cached.get(name) ?? { nextReadAt: 0 };
    this.#cached.set(name, cached);
    return cached;
  }

  async #text(reference: string, name: string, hasGood: boolean): Promise<string> {
    const cached = this.#entry(name);
    if (cached.read && this.#options.clock.now() < cached.nextReadAt) {
      if ('text' in cached.read) return cached.read.text;
      if (hasGood) throw cached.read.error;
    }
    if (!hasGood) return this.#firstText(reference, name, cached);
    const patience = delay(this.#options.refreshPatienceMs ?? 1000).then(() => {
      throw new Error('Secrets Manager did not answer in time');
    });
    return Promise.race([this.#refresh(name, cached), patience]);
  }

  async #firstText(reference: string, name: string, cached: Cached): Promise<string> {
    const { clock, startPatienceMs = 30_000, stopping } = this.#options;
    const until = clock.now() + startPatienceMs;
    for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, 4000)) {
      try {
        return await unlessStopped(this.#refresh(name, cached), stopping);
      } catch (error) {
        stopping?.throwIfAborted();
        const failure = error as AwsError;
        if (this.#hasRead || isLasting(failure) || clock.now() + waitMs > until)
          throw explain(reference, failure);
        this.#report('waiting', reference, failure);
      }
      await unlessStopped(delay(waitMs * (0.75 + Math.random() / 4)), stopping);
    }
  }

  /** Reads the current version past the cache. Parallel callers share one read. */
  #refresh(name: string, cached: Cached): Promise<string> {
    const { clock, freshMs = 45_000, retryMs = 10_000 } = this.#options;
    cached.reading ??= this.#stage(name, 'AWSCURRENT')
      .then(
        (text) => {
          this.#hasRead = true;
          cached.read = { text };
          cached.nextReadAt = clock.now() + freshMs;
          return text;
        },
        (error: AwsError) => {
          cached.read = { error };
          cached.nextReadAt = clock.now() + retryMs;
          throw error;
        },
      )
      .finally(() => {
        cached.reading = undefined;
      });
    return cached.reading;
  }

  async #stage(name: string, stage: 'AWSCURRENT' | 'AWSPENDING'): Promise<string> {
    // The SDK is loaded when it is first needed: other installations start faster without it.
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const client = await this.#connect();
    const command = new GetSecretValueCommand({ SecretId: name, VersionStage: stage });
    const { SecretString, SecretBinary } = await client.send(command);
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString('utf8');
  }

  #connect(): Promise<SecretsManagerClient> {
    this.#client ??= import('@aws-sdk/client-secrets-manager').then(
      ({ SecretsManagerClient: Client }) =>
        new Client({
          maxAttempts: 3,
          requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
          ...this.#options.client,
        }),
    );
    return this.#client;
  }
}
