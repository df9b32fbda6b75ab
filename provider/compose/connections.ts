import { join } from 'node:path';
import { IamTokens } from '../../adapters/aws/iam-tokens.ts';
import { AwsSecrets } from '../../adapters/aws/secrets.ts';
import { createFileSecrets } from '../../adapters/file/secrets.ts';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { processEnvironment } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import { readDatabaseUrl, readRedisUrl } from '../lib/connection-urls.ts';
import { ConfigurationError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { parseSecretReference } from '../lib/secret-reference.ts';
import type { MailFeedback } from '../ports/mail-feedback.ts';
import type { MailSender } from '../ports/mail-sender.ts';
import type { Schema } from '../ports/schema.ts';
import { checkedMailSender } from './compose-mails.ts';
import { databaseTokens, redisTokens, type TokenSource } from './iam-credentials.ts';
import { connectionOf, createProcessSecrets, credentialOf, type ProcessSecrets } from './process-secrets.ts';

export interface ConnectionDeps {
  logger: Logger;
  clock: Clock;
  /** Aborted when the process stops. Then nothing waits any longer for the first secret. */
  stopping?: AbortSignal | undefined;
}

/** Secrets of every scheme. One instance has one cache, so a process has one. */
export function openSecrets({ clock, logger, stopping }: ConnectionDeps): ProcessSecrets {
  return createProcessSecrets(logger, (report) => {
    const local = createFileSecrets({ env: processEnvironment() });
    const aws = new AwsSecrets({ clock, stopping, onChange: report });
    return (reference) => (parseSecretReference(reference).scheme === 'secretsmanager' ? aws : local);
  });
}

/** IAM tokens for RDS and ElastiCache. */
function openTokens({ clock, logger, stopping }: ConnectionDeps): TokenSource {
  const onWaiting = (reason: string) =>
    logger.warn({ reason }, 'no AWS credentials for an IAM token yet, trying again');
  return new IamTokens({ clock, stopping, onWaiting });
}

/**
 * Opens the database that the settings name. Without one, it opens an embedded Postgres in this process, with its files
 * in the data folder.
 */
export async function openConfiguredDatabase(
  config: Config,
  deps: ConnectionDeps,
  secrets = openSecrets(deps),
): Promise<Database> {
  const { logger } = deps;
  const warn = (detail: string) => logger.warn({ detail }, 'database connection lost');
  if (config.databaseUrl !== undefined) {
    const { url, credentials: inUrl } = await connectionOf(secrets, config.databaseUrl, readDatabaseUrl);
    const { databasePassword } = config;
    const credentials =
      databaseTokens(url, databasePassword, openTokens(deps)) ??
      credentialOf(secrets, databasePassword) ??
      inUrl;
    // An error of the configuration stops the start here. Later, it would look like a database that is unreachable.
    await credentials?.current();
    return openDatabase({ url, credentials, poolMax: config.databasePoolMax, warn });
  }
  // This module is loaded only here. Commands should start quickly, and a server does not need it.
  const { openEmbeddedDatabase } = await import('../../adapters/embedded/database.ts').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigurationError([
      'GATEHOUSE_DATABASE_URL is missing, and this installation has no embedded database: neither the image nor `npm ci --omit=dev` contains it.',
    ]);
  });
  const embedded = await openEmbeddedDatabase({ dataFolder: config.dataFolder });
  const database = openDatabase({ connection: embedded.connection, warn });
  const close = async () => {
    await database.close();
    await embedded.close();
  };
  return { name: 'postgres', knex: database.knex, ping: () => database.ping(), close };
}

/** The schema of an open database. */
export const schemaOf = (database: Database): Schema => new PostgresSchema({ db: database.knex });

/** Opens Redis if the settings name one. @param lost called when the connection or a node was lost */
export async function openConfiguredRedis(
  config: Config,
  secrets: ProcessSecrets,
  lost: () => void,
  deps: ConnectionDeps,
) {
  const { logger } = deps;
  const { redisPassword } = config;
  if (config.redisUrl === undefined) return undefined;
  const { openRedis } = await import('../../adapters/redis/connection.ts');
  const { url, credentials: inUrl } = await connectionOf(secrets, config.redisUrl, readRedisUrl);
  return openRedis({
    url,
    caFile: config.redisCaFile,
    cluster: config.redisCluster,
    keyPrefix: config.redisKeyPrefix,
    credentials:
      redisTokens(url, redisPassword, openTokens(deps)) ?? credentialOf(secrets, redisPassword) ?? inUrl,
    onCredentialTrouble: (reason) => logger.warn({ reason }, 'redis credential not renewed, trying again'),
    onStateChange: (change) => {
      const { state, reason } = change;
      if (state !== 'ready' && state !== 'closed') lost();
      if (state === 'ready') logger.info({}, 'redis connected');
      else if (state === 'closed') logger.info({ reason }, 'redis connection closed');
      else if (state === 'partial') logger.warn({ reason }, 'redis node failed');
      else logger.warn({ reason }, 'redis connection lost');
    },
  });
}

/**
 * What sends mails. Its library is loaded at the first mail, because most processes send none. Every address is checked
 * here, before any library sees it: exactly one, with at most 254 characters.
 */
export function openMailSender(
  settings: MailSettings,
  secrets: Pick<ProcessSecrets, 'follow'>,
): MailSender | undefined {
  const { mail = { kind: 'off' }, mailFrom: from, smtpUser, smtpPassword, dataFolder } = settings;
  if (mail.kind === 'off') return undefined;
  const sender = from ?? { address: 'gatehouse@localhost' };
  const password =
    smtpPassword === undefined ? undefined : secrets.follow(smtpPassword, (text) => text.trim());
  const open = async (): Promise<MailSender> => {
    switch (mail.kind) {
      case 'smtp': {
        const { SmtpMailSender } = await import('../../adapters/smtp/mail-sender.ts');
        const credential = password && (async () => ({ user: smtpUser ?? '', password: await password() }));
        return new SmtpMailSender({ server: mail, from: sender, credential });
      }
      case 'ses': {
        const { SesMailSender } = await import('../../adapters/aws/ses-mail-sender.ts');
        const { sesConfigurationSet: configurationSet } = settings;
        return new SesMailSender({ from: sender, region: mail.region, configurationSet });
      }
      default: {
        const { MailFolder } = await import('../../adapters/file/mail-folder.ts');
        const write = process.stdout.write.bind(process.stdout);
        return new MailFolder({ folder: join(dataFolder, 'mails'), write });
      }
    }
  };
  let opened: Promise<MailSender> | undefined;
  return checkedMailSender({
    send: async (outgoing) => {
      opened ??= open();
      return (await opened).send(outgoing);
    },
  });
}

type MailSettings = Pick<
  Config,
  'mail' | 'mailFrom' | 'smtpUser' | 'smtpPassword' | 'dataFolder' | 'sesConfigurationSet'
>;

/** The queue with reports about mails. Its library is loaded at the first use, because most processes read no reports. */
export function openMailFeedback({
  mail,
  mailFeedbackQueue: queueUrl,
}: Pick<Config, 'mail' | 'mailFeedbackQueue'>): MailFeedback | undefined {
  if (mail?.kind !== 'ses' || queueUrl === undefined) return undefined;
  let opened: Promise<MailFeedback> | undefined;
  const queue = () => {
    opened ??= import('../../adapters/aws/sqs-mail-feedback.ts').then(
      ({ SqsMailFeedback }) => new SqsMailFeedback({ queueUrl }),
    );
    return opened;
  };
  return {
    receive: async (stopping) => (await queue()).receive(stopping),
    remove: async (receipts) => (await queue()).remove(receipts),
  };
}
