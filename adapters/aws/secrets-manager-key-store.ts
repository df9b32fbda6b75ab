import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { unlessStopped } from '../../provider/lib/lifecycle.ts';
import type { KeyStore, StoredKeySet } from '../../provider/ports/key-store.ts';
import { type AwsError, explainSecretError } from './errors.ts';

/** The staging label of the version that AWS reads when no version is named. */
const currentLabel = 'AWSCURRENT';

/**
 * Our own staging label. It is on a new version until that version is current or has lost. `AWSPENDING` belongs to the
 * rotation of AWS: if that stops half-way, the label stays there.
 */
const draftLabel = 'GATEHOUSE_DRAFT';

const use = {
  missing: 'Create it without a value, or correct the name in GATEHOUSE_KEYS or AWS_REGION.',
  actions: ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'],
};

/** The pause between two attempts while the pod has no credentials yet. */
const credentialsPauseMs = 500;

export interface SecretsManagerKeyStoreOptions {
  /** The name or ARN of the secret. */
  secret: string;
  /** Settings of the SDK's client. By default the SDK finds region and credentials itself, for example pod identity. */
  client?: SecretsManagerClientConfig;
  /** How long the first call waits for AWS credentials. EKS Pod Identity provides them some seconds after the start. */
  credentialsWaitMs?: number;
  /** Aborted when the process stops. Then the first call ends at once. */
  stopping?: AbortSignal | undefined;
}

const hasName = (error: unknown, name: string) => (error as Error).name === name;

/**
 * The key set in Secrets Manager, as the value of one secret. The secret must exist, with or without a value. The
 * version of the set is the id of the secret's version with the label AWSCURRENT.
 *
 * `save` writes the value as a version that no process reads yet, and then moves AWSCURRENT from the expected version to the
 * new one. AWS refuses this when the label is not on the expected version. So a save needs no lock.
 */
export class SecretsManagerKeyStore implements KeyStore {
  readonly #client: SecretsManagerClient;
  readonly #secret: string;
  readonly #credentialsWaitMs: number;
  readonly #stopping: AbortSignal | undefined;
  #hasAnswered = false;

  constructor({ secret, client = {}, credentialsWaitMs = 30_000, stopping }: SecretsManagerKeyStoreOptions) {
    this.#secret = secret;
    this.#credentialsWaitMs = credentialsWaitMs;
    this.#stopping = stopping;
    const requestHandler = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };
    this.#client = new SecretsManagerClient({ maxAttempts: 3, requestHandler, ...client });
  }

  /** @throws ConfigurationError when the secret is missing or may not be read; StoreUnavailable */
  load(): Promise<StoredKeySet | undefined> {
    return this.#explained(() => this.#read());
  }

  /** @throws ConfigurationError when the secret is missing or may not be written; StoreUnavailable */
  save(value: string, expected: string | undefined): Promise<boolean> {
    return this.#explained(async () => {
      // The first version of a secret gets AWSCURRENT without a comparison. So look before the write.
      const before = await this.#read();
      if (before?.version !== expected) return false;
      const version = randomUUID();
      const put = await this.#client.send(
        new PutSecretValueCommand({
          SecretId: this.#secret,
          SecretString: value,
          // With the same token, a repeat by the SDK after a lost response writes no second version.
          ClientRequestToken: version,
          VersionStages: [draftLabel],
        }),
      );
      const isSaved =
        put.VersionStages?.includes(currentLabel) || (await this.#makeCurrent(version, expected));
      await this.#dropDraftLabel(version);
      return isSaved;
    });
  }

  async #makeCurrent(version: string, expected: string | undefined): Promise<boolean> {
    const input = { SecretId: this.#secret, VersionStage: currentLabel, MoveToVersionId: version };
    const command = expected === undefined ? input : { ...input, RemoveFromVersionId: expected };
    try {
      await this.#client.send(new UpdateSecretVersionStageCommand(command));
      return true;
    } catch (error) {
      // The SDK repeats a call whose response was lost. The repeat is refused, although the first call succeeded. After
      // any failure, only the labels say what happened.
      const now = await this.#read();
      if (now?.version === version) return true;
      if (now?.version !== expected) return false;
      throw error;
    }
  }

  /** A version without a label is deleted by AWS at some time. If this fails, the next save moves the label. */
  async #dropDraftLabel(version: string): Promise<void> {
    const input = { SecretId: this.#secret, VersionStage: draftLabel, RemoveFromVersionId: version };
    await this.#client.send(new UpdateSecretVersionStageCommand(input)).catch(() => {});
  }

  async #read(): Promise<StoredKeySet | undefined> {
    try {
      return await this.#readCurrent();
    } catch (error) {
      if (!hasName(error, 'ResourceNotFoundException')) throw error;
      // The secret may be missing, or it may have no value. This call throws only if it is missing.
      const { VersionIdsToStages = {} } = await this.#client.send(
        new DescribeSecretCommand({ SecretId: this.#secret }),
      );
      const isCurrent = Object.values(VersionIdsToStages).some((labels) => labels.includes(currentLabel));
      return isCurrent ? this.#readCurrent() : undefined;
    }
  }

  async #readCurrent(): Promise<StoredKeySet> {
    const { VersionId, SecretString } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#secret, VersionStage: currentLabel }),
    );
    return { version: VersionId ?? '', value: SecretString ?? '' };
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    for (let waitedMs = 0; ; waitedMs += credentialsPauseMs) {
      try {
        const result = await (this.#hasAnswered ? work() : unlessStopped(work(), this.#stopping));
        this.#hasAnswered = true;
        return result;
      } catch (error) {
        if (!this.#hasAnswered) this.#stopping?.throwIfAborted();
        const isEarly = !this.#hasAnswered && waitedMs < this.#credentialsWaitMs;
        if (!(isEarly && hasName(error, 'CredentialsProviderError')))
          throw (
            explainSecretError(`The secret ${this.#secret} can't be used`, error as AwsError, use) ??
            new StoreUnavailable('Secrets Manager', error)
          );
        await unlessStopped(pause(credentialsPauseMs), this.#stopping);
      }
    }
  }
}
