import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileClientSource } from '../../adapters/file/client-source.ts';
import { TextClientSource } from '../../adapters/file/clients-yaml.ts';
import { FileKeyStore } from '../../adapters/file/key-store.ts';
import { openPasswordFilter } from '../../adapters/file/password-filter.ts';
import type { KubernetesOptions } from '../../adapters/kubernetes/open-kubernetes.ts';
import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { PostgresAccountIndex } from '../../adapters/postgres/account-index.ts';
import { PostgresAccountStore } from '../../adapters/postgres/account-store.ts';
import { PostgresAddressChanges } from '../../adapters/postgres/address-changes.ts';
import { PostgresClientSessions } from '../../adapters/postgres/client-sessions.ts';
import { PostgresClientSource } from '../../adapters/postgres/client-source.ts';
import { clientsChannel, PostgresClientStore } from '../../adapters/postgres/client-store.ts';
import { PostgresClientTokenVersions } from '../../adapters/postgres/client-token-versions.ts';
import { PostgresConsentStore } from '../../adapters/postgres/consent-store.ts';
import type { Database } from '../../adapters/postgres/database.ts';
import { PostgresExpiredRows } from '../../adapters/postgres/expired-rows.ts';
import { PostgresFamilyStore } from '../../adapters/postgres/family-store.ts';
import { PostgresKeyStore } from '../../adapters/postgres/key-store.ts';
import { PostgresLeases, soleHolder } from '../../adapters/postgres/leases.ts';
import { PostgresLimits } from '../../adapters/postgres/limits.ts';
import { PostgresLogouts } from '../../adapters/postgres/logouts.ts';
import { PostgresMailSuppressions } from '../../adapters/postgres/mail-suppressions.ts';
import { PostgresMails } from '../../adapters/postgres/mails.ts';
import { PostgresOidcStore } from '../../adapters/postgres/oidc-store.ts';
import { PostgresOneTimeTokens } from '../../adapters/postgres/one-time-tokens.ts';
import { PostgresOutbox } from '../../adapters/postgres/outbox.ts';
import { PostgresPasskeys } from '../../adapters/postgres/passkeys.ts';
import { PostgresRegisteredClients } from '../../adapters/postgres/registered-clients.ts';
import { PostgresRevocationStore, revocationsChannel } from '../../adapters/postgres/revocation-store.ts';
import { PostgresSecondFactors } from '../../adapters/postgres/second-factors.ts';
import { PostgresSignInHistory } from '../../adapters/postgres/sign-in-history.ts';
import { PostgresUnitOfWork } from '../../adapters/postgres/unit-of-work.ts';
import { eventsChannel, noWakeUp, PostgresSignals } from '../../adapters/postgres/wake-up.ts';
import { RedisAccountIndex } from '../../adapters/redis/account-index.ts';
import { RedisFamilyStore } from '../../adapters/redis/family-store.ts';
import { RedisLimits } from '../../adapters/redis/limits.ts';
import { RedisOidcStore } from '../../adapters/redis/oidc-store.ts';
import { RedisRevocationCache } from '../../adapters/redis/revocation-cache.ts';
import { StdoutEventSink } from '../../adapters/stdout/event-sink.ts';
import type { Config } from '../config/schema.ts';
import { parseServerSecrets } from '../config/server-secrets.ts';
import { ConfigurationError } from '../lib/errors.ts';
import { createServerKeys } from '../lib/server-keys.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { Dependency } from '../ports/dependency.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { KeyStore } from '../ports/key-store.ts';
import type { PasswordBlocklist } from '../ports/password-blocklist.ts';
import type { RemoteSigner } from '../ports/remote-signer.ts';
import {
  type ConnectionDeps,
  openConfiguredDatabase,
  openConfiguredRedis,
  openMailFeedback,
  openMailSender,
  openSecrets,
  schemaOf,
} from './connections.ts';
import type { Home, Ports } from './ports.ts';

/**
 * Creates the implementation of every port from the settings. Only this file and `connections.ts` know which product
 * implements which port (DESIGN §7). If a part fails, it closes the parts that it had opened.
 */
export async function openPorts(config: Config, deps: ConnectionDeps): Promise<Ports> {
  const opened: Dependency[] = [];
  try {
    return await openAll(config, deps, opened);
  } catch (error) {
    await Promise.allSettled(opened.map((dependency) => dependency.close()));
    throw error;
  }
}

async function openAll(config: Config, deps: ConnectionDeps, dependencies: Dependency[]): Promise<Ports> {
  const { clock } = deps;
  const secrets = openSecrets(deps);
  const eventSink = await openEventSink(config);
  const database = await openConfiguredDatabase(config, deps, secrets);
  dependencies.push(database);
  const db = database.knex;
  const lostListeners: (() => void)[] = [];
  const lost = () => {
    for (const listener of lostListeners) listener();
  };
  const redis = await openConfiguredRedis(config, secrets, lost, deps);
  if (redis) dependencies.push(redis.dependency);
  const signals =
    config.databaseUrl === undefined ? undefined : new PostgresSignals({ db, logger: deps.logger });
  const channel = (name: string) => signals?.channel(name) ?? noWakeUp;
  const clients = new PostgresClientStore({ db });
  const familiesInRedis = redis && config.refreshTokenStore === 'redis';
  const familiesHome = familiesInRedis ? 'redis' : 'postgres';
  return {
    accounts: new PostgresAccountStore({ db }),
    consents: new PostgresConsentStore({ db }),
    outbox: new PostgresOutbox({ db }),
    clientSessions: new PostgresClientSessions({ db }),
    logouts: new PostgresLogouts({ db }),
    mails: new PostgresMails({ db }),
    mailSuppressions: new PostgresMailSuppressions({ db }),
    secondFactors: new PostgresSecondFactors({ db }),
    oneTimeTokens: new PostgresOneTimeTokens({ db }),
    addressChanges: new PostgresAddressChanges({ db }),
    signInHistory: new PostgresSignInHistory({ db }),
    passkeys: new PostgresPasskeys({ db }),
    unitOfWork: new PostgresUnitOfWork({ db }),
    denylist: new PostgresRevocationStore({ db, clock }),
    clientTokenVersions: new PostgresClientTokenVersions({ db }),
    revocationCache: redis && new RedisRevocationCache({ redis, clock }),
    onRedisLost: (listener) => void lostListeners.push(listener),
    oidcStore: redis ? new RedisOidcStore({ redis, clock }) : new PostgresOidcStore({ db, clock }),
    families: familiesInRedis
      ? new RedisFamilyStore({ redis, clock })
      : new PostgresFamilyStore({ db, clock }),
    accountIndex: familiesInRedis
      ? new RedisAccountIndex({ redis, clock })
      : new PostgresAccountIndex({ db, clock }),
    limits: redis ? new RedisLimits({ redis, clock }) : new PostgresLimits({ db, clock }),
    localLimits: new MemoryLimits({ clock }),
    keyStore: await openKeyStore(config, deps, database, secrets),
    remoteSigner: openRemoteSigner(),
    clients,
    registeredClients: new PostgresRegisteredClients({ db }),
    clientSources: [
      new PostgresClientSource({
        store: clients,
        clock,
        signal: channel(clientsChannel),
      }),
      ...(config.clientsFile ? [openClientsFile(config.clientsFile)] : []),
    ],
    eventSink,
    mailSender: openMailSender(config, secrets),
    mailFeedback: openMailFeedback(config),
    passwordBlocklists: await openPasswordBlocklists(config, deps),
    schema: schemaOf(database),
    secrets,
    expired: [new PostgresExpiredRows({ db, outboxRetentionMs: 7 * day, failedRetentionMs: 30 * day })],
    leases: config.databaseUrl === undefined ? soleHolder : new PostgresLeases({ db }),
    wakeUp: channel(eventsChannel),
    revocationSignals: channel(revocationsChannel),
    homes: {
      accounts: 'postgres',
      consents: 'postgres',
      outbox: 'postgres',
      clientSessions: 'postgres',
      logouts: 'postgres',
      mails: 'postgres',
      mailSuppressions: 'postgres',
      secondFactors: 'postgres',
      oneTimeTokens: 'postgres',
      addressChanges: 'postgres',
      signInHistory: 'postgres',
      passkeys: 'postgres',
      unitOfWork: 'postgres',
      revocationCache: 'redis',
      denylist: 'postgres',
      expired: 'postgres',
      keyStore: keysHome(config),
      remoteSigner: 'kms',
      oidcStore: redis ? 'redis' : 'postgres',
      families: familiesHome,
      accountIndex: familiesHome,
      clientTokenVersions: 'postgres',
      limits: redis ? 'redis' : 'postgres',
      clients: 'postgres',
      registeredClients: 'postgres',
    },
    dependencies,
  };
}

const day = 86_400_000;

/** Like `openPorts`, without what only servers use: Redis, the signing keys and the clients. */
export const openWorkerPorts = (config: Config, deps: ConnectionDeps): Promise<Ports> =>
  openPorts(
    { ...config, redisUrl: undefined, keys: config.keys ?? 'file:unused', clientsFile: undefined },
    deps,
  );

/** Client documents in a YAML file or a folder of them. */
export const openClientsFile = (path: string): ClientSource => new FileClientSource({ path, pollMs: 2000 });

/** Client documents in a YAML text. @param name the place of the text, for messages */
export const openClientsText = (name: string, text: string): ClientSource =>
  new TextClientSource({ name, text });

/** Kubernetes. Its library is loaded only here, because it is large and only the operator needs it. */
export const openKubernetes = async (options: KubernetesOptions) =>
  (await import('../../adapters/kubernetes/open-kubernetes.ts')).openKubernetes(options);

/** The product that keeps the signing keys. The reference names it. */
export function keysHome({ keys = 'file:' }: Pick<Config, 'keys'>): Home {
  if (keys === 'postgres:') return 'postgres';
  return keys.startsWith('secretsmanager:') ? 'secretsmanager' : 'file';
}

/**
 * Without a reference (development only), the keys are stored in the data folder.
 *
 * @param database needed only when the keys are in Postgres
 */
export async function openKeyStore(
  config: Config,
  deps: ConnectionDeps,
  database?: Database,
  secrets = openSecrets(deps),
): Promise<KeyStore> {
  const { keys, keysSecret = '', dataFolder } = config;
  const home = keysHome(config);
  if (home === 'postgres') {
    const seals = secrets.follow(keysSecret, (text) =>
      createServerKeys(parseServerSecrets(text, 'GATEHOUSE_KEYS_SECRET')),
    );
    if (database === undefined) throw new Error('the keys are in a database that was not opened');
    return new PostgresKeyStore({ db: database.knex, seals });
  }
  if (keys === undefined) {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    return new FileKeyStore({ path: join(dataFolder, 'keys.json') });
  }
  if (home === 'file') return new FileKeyStore({ path: keys.replace(/^file:/, '') });
  // Loaded only where it is used, because the AWS SDK takes a part of the start.
  const { SecretsManagerKeyStore } = await import('../../adapters/aws/secrets-manager-key-store.ts');
  return new SecretsManagerKeyStore({
    secret: keys.replace(/^secretsmanager:/, ''),
    stopping: deps.stopping,
  });
}

/** AWS KMS. The client is loaded at the first use, because most installations have no key there. */
export function openRemoteSigner(): RemoteSigner {
  let opened: Promise<RemoteSigner> | undefined;
  const signer = () => {
    opened ??= import('../../adapters/aws/kms-signer.ts').then(({ KmsSigner }) => new KmsSigner());
    return opened;
  };
  return {
    describe: async (name) => (await signer()).describe(name),
    sign: async (arn, digest) => (await signer()).sign(arn, digest),
  };
}

/** The file before the service, because it answers faster. Throws a ConfigurationError for a file that is no blocklist. */
async function openPasswordBlocklists(
  { passwordBlocklist, passwordBreachService: url }: Config,
  { logger }: Pick<ConnectionDeps, 'logger'>,
): Promise<PasswordBlocklist[]> {
  const lists: PasswordBlocklist[] = [];
  if (passwordBlocklist !== undefined) lists.push(await openPasswordFilter(passwordBlocklist, { logger }));
  if (url !== undefined) {
    // Loaded only where it is used.
    const { createPwnedPasswords } = await import('../../adapters/pwned-passwords/blocklist.ts');
    lists.push(createPwnedPasswords({ url, logger }));
  }
  return lists;
}

/** Throws a ConfigurationError when the sink needs an AWS region and there is none. */
export async function openEventSink({ eventsSink }: Pick<Config, 'eventsSink'>): Promise<EventSink> {
  if (eventsSink === 'stdout') {
    return new StdoutEventSink({ write: process.stdout.write.bind(process.stdout) });
  }
  if (eventsSink === 'none') {
    return { publish: async (events) => events.map(({ id }) => ({ id, outcome: 'published' })) };
  }
  // The AWS SDK is loaded only when it is needed.
  const { EventBridgeSink } = await import('../../adapters/aws/event-bridge.ts');
  const sink = new EventBridgeSink({ bus: eventsSink.slice('eventbridge:'.length) });
  await sink.region().catch(() => {
    throw new ConfigurationError([
      'GATEHOUSE_EVENTS_SINK names an EventBridge bus, and no AWS region is configured. Set AWS_REGION, or give the ARN of the bus.',
    ]);
  });
  return sink;
}
