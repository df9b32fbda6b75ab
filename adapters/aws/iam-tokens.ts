import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../provider/lib/clock.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { unlessStopped } from '../../provider/lib/lifecycle.ts';
import { type AwsError, errorText, identityAdvice, isLasting } from './errors.ts';

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface IamTokensOptions {
  clock: Clock;
  /** Where the AWS credentials come from. By default the SDK's chain, which caches them and renews them in time. */
  credentials?: (() => Promise<AwsCredentials>) | undefined;
  /** The AWS region of the database and the cache. By default the SDK's, for example from AWS_REGION. */
  region?: string | undefined;
  /**
   * How long the first token of the process is tried again, in milliseconds. The default is 30,000. EKS Pod Identity
   * gives credentials to a new pod after some seconds.
   */
  startPatienceMs?: number;
  /** Called once when the first token is tried again. The reason contains no secret. */
  onWaiting?(reason: string): void;
  /** Aborted when the process stops. Then the first token ends at once. */
  stopping?: AbortSignal | undefined;
}

/** What a token is for: a request that AWS evaluates when the server receives the token as a password. */
interface ConnectRequest {
  service: 'rds-db' | 'elasticache';
  host: string;
  query: Record<string, string>;
}

/** AWS accepts a token for 15 minutes after it was made. This is the longest time that it allows. */
const lifetimeSeconds = 900;

/**
 * Makes IAM tokens, the passwords of RDS and ElastiCache. A token is a presigned request (AWS Signature Version 4) without
 * its scheme. It is calculated in this process from the AWS credentials; no service is called for it.
 *
 * Until the process has made its first token, it waits for credentials for a bounded time. All methods throw a
 * ConfigurationError that says what to do when there are no AWS credentials or no region.
 */
export class IamTokens {
  readonly #options: IamTokensOptions;
  #signer: ReturnType<typeof connectSigner> | undefined;
  #hasSigned = false;
  #isWaiting = false;

  constructor(options: IamTokensOptions) {
    this.#options = options;
  }

  /** A token for RDS or RDS Proxy. The host must be the endpoint itself: AWS refuses tokens for an alias of it. */
  forDatabase({ host, port, user }: { host: string; port: number; user: string }): Promise<string> {
    const query = { Action: 'connect', DBUser: user };
    return this.#token({ service: 'rds-db', host: `${host}:${port}`, query });
  }

  /** A token for ElastiCache. The name is that of the replication group or serverless cache, and not a host. */
  forCache({ name, serverless, user }: { name: string; serverless: boolean; user: string }): Promise<string> {
    const query = { Action: 'connect', User: user, ...(serverless && { ResourceType: 'ServerlessCache' }) };
    return this.#token({ service: 'elasticache', host: name, query });
  }

  async #token(request: ConnectRequest): Promise<string> {
    const { clock, startPatienceMs = 30_000, stopping } = this.#options;
    const until = clock.now() + startPatienceMs;
    for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, 4000)) {
      try {
        const signing = this.#sign(request);
        const token = await (this.#hasSigned ? signing : unlessStopped(signing, stopping));
        this.#hasSigned = true;
        return token;
      } catch (error) {
        if (!this.#hasSigned) stopping?.throwIfAborted();
        const failure = error as AwsError;
        if (this.#hasSigned || isLasting(failure) || clock.now() + waitMs > until) throw explain(failure);
        this.#reportWaiting(failure);
      }
      await unlessStopped(pause(waitMs), stopping);
    }
  }

  #reportWaiting(failure: AwsError): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.onWaiting?.(errorText(failure));
  }

  async #sign({ service, host, query }: ConnectRequest): Promise<string> {
    this.#signer ??= connectSigner(this.#options);
    const { signer, format } = await this.#signer;
    // The signature covers the header `host`, and for RDS this includes the port.
    const request = {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      path: '/',
      query,
      headers: { host },
    };
    const presigned = await signer.presign(request, {
      signingService: service,
      signingDate: new Date(this.#options.clock.now()),
      expiresIn: lifetimeSeconds,
    });
    return `${host}/?${format(presigned.query ?? {})}`;
  }
}

/** Loads the SDK. Other installations start faster without it. */
async function connectSigner({ credentials, region }: IamTokensOptions) {
  const [{ SignatureV4 }, { Sha256 }, { buildQueryString }, { defaultProvider }, config] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/core/checksum'),
    import('@smithy/core/protocols'),
    import('@aws-sdk/credential-provider-node'),
    import('@smithy/core/config'),
  ]);
  const { loadConfig, NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } = config;
  const configured = loadConfig(NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS);
  const signer = new SignatureV4({
    // Each request names its own service.
    service: '',
    sha256: Sha256,
    credentials: credentials ?? defaultProvider(),
    region: async () => {
      const found = region ?? (await configured());
      // An empty variable counts as a region for the SDK's reader, and gives a token that AWS refuses.
      if (found === '') throw new Error('Region is missing');
      return found;
    },
  });
  return { signer, format: buildQueryString };
}

function explain(error: AwsError): ConfigurationError {
  const advice = identityAdvice(error) ?? 'Check the identity of this process and its path to AWS.';
  return new ConfigurationError([`No IAM token can be made (${errorText(error)}). ${advice}`]);
}
