import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Accounts, createAccounts } from '../../accounts/accounts.ts';
import { createHashingPool } from '../../accounts/hashing-pool.ts';
import { createInvitations, type Invitations } from '../../accounts/invitations.ts';
import type { WriteMail } from '../../accounts/mails.ts';
import { createOneTimeTokens } from '../../accounts/one-time-tokens.ts';
import { createPasswords, passwordParams } from '../../accounts/passwords.ts';
import { type ClientWrites, createClientWrites } from '../../clients/apply-clients.ts';
import { openPorts } from '../../compose/adapters.ts';
import { composePasswordRules } from '../../compose/compose-accounts.ts';
import { composeWriteMail, isMailOn } from '../../compose/compose-mails.ts';
import { composeRevocation, composeSignIns } from '../../compose/compose-sign-ins.ts';
import type { Ports } from '../../compose/ports.ts';
import type { AccessModel } from '../../config/access-model.ts';
import { loadConfig, processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { longestRefreshTokenSeconds } from '../../config/settings-tokens.ts';
import { createNewEvent, type NewEvent } from '../../events/catalogue.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { ConfigurationError } from '../../lib/errors.ts';
import { createServerKeys, type ServerKeys } from '../../lib/server-keys.ts';
import type { SignIns } from '../../oidc/sessions/sign-ins.ts';
import { createCachedDenylist } from '../../revocation/cached-denylist.ts';
import { noticeChanges } from '../../revocation/change-notices.ts';
import { type ClientRevocation, createClientRevocation } from '../../revocation/client-revocation.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import { serverSecretsReader } from '../resolve-server-secrets.ts';
import { accessModelOf } from './access-settings.ts';
import { requireCurrentSchema } from './migrate-schema.ts';
import { silentLogger } from './silent-logger.ts';

/**
 * The stores and services that a command can use while the stores are open. Every change is written together with its
 * event, and the actor of the event is `operator`.
 */
export interface Stores {
  config: Config;
  accessModel: AccessModel;
  ports: Ports;
  accounts: Accounts;
  /** Undefined when mail is off, or for commands that cause no mails. */
  invitations: Invitations | undefined;
  newEvent: NewEvent;
  /** Undefined when mail is off, or when the command does not say that it causes mails. */
  writeMail: WriteMail | undefined;
  revocation: Revocation;
  clientRevocation: ClientRevocation;
  clientWrites: ClientWrites;
  /** Throws a ConfigurationError when the server secrets can't be read. */
  serverKeys(): Promise<ServerKeys>;
  /** Gives the sign-ins of accounts. Throws a ConfigurationError when the server secrets can't be read. */
  signIns(): Promise<SignIns>;
  /**
   * Text that says that a family or session may be missing from a list because Redis isn't configured. Empty when
   * nothing can be missing.
   */
  redisHint: string;
}

export interface StoreNeeds {
  /**
   * Opens Redis too, if it is configured. Commands that only change accounts don't need it, and work while Redis is
   * down.
   */
  redis?: boolean;
  /** Requires GATEHOUSE_SERVER_SECRETS when a real database is configured. The embedded one keeps its own secret. */
  serverSecrets?: boolean;
  /** For commands that cause mails: requires GATEHOUSE_SERVER_SECRETS when mail is on and a real database is configured. */
  mails?: boolean;
  /**
   * For commands that may change many accounts: the servers get one notice to read all accounts again, not one notice
   * per account.
   */
  manyAccounts?: boolean;
  /** The file with the APIs, instead of the setting. */
  apisFile?: string | undefined;
}

/**
 * Loads the settings, opens the configured database (or the embedded one), checks its schema, runs `work` and closes
 * everything again. Throws a ConfigurationError when settings are wrong, when there is no database, when its schema is
 * old, or when another process uses the embedded one. Errors that `work` throws are thrown on.
 */
export async function withStores<T>(needs: StoreNeeds, work: (stores: Stores) => Promise<T>): Promise<T> {
  const config = loadConfig({
    required: requiredSettings(needs),
    overrides: needs.apisFile === undefined ? {} : { GATEHOUSE_APIS_FILE: needs.apisFile },
  });
  const accessModel = accessModelOf(config);
  const ports = await openStores(needs.redis ? config : { ...config, redisUrl: undefined });
  try {
    // The embedded database belongs to this release. Other releases may still use a real one.
    if (config.databaseUrl === undefined) await ports.schema.migrate();
    else await requireCurrentSchema(ports.schema);
    const reader = serverSecretsReader(config, ports.secrets);
    const mailConfig = withDevMail(config);
    const mailKeys = needs.mails && isMailOn(mailConfig) ? createServerKeys(await reader()) : undefined;
    const writeMail = mailKeys && composeWriteMail(mailConfig, mailKeys, clock);
    return await workAndWake(ports, (eventCommitted) =>
      work(composeStores(config, accessModel, ports, { ...needs, eventCommitted, writeMail, mailKeys })),
    );
  } finally {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
  }
}

/** After the work, also after a part of it, wakes the process that publishes events if there are new ones. */
async function workAndWake<T>(
  { wakeUp }: Pick<Ports, 'wakeUp'>,
  work: (eventCommitted: () => void) => Promise<T>,
): Promise<T> {
  let hasEvents = false;
  try {
    return await work(() => {
      hasEvents = true;
    });
  } finally {
    // Without the signal, the events wait for the next poll.
    if (hasEvents) await wakeUp.notify().catch(() => {});
  }
}

function requiredSettings({ serverSecrets = false, mails = false }: StoreNeeds) {
  const names = ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_DATABASE_URL_FILE'];
  const realDatabase = names.some((name) => processEnvironment()[name]);
  const { GATEHOUSE_MAIL: mail, GATEHOUSE_MAIL_FILE: mailFile } = processEnvironment();
  const sealsMails = mails && (mail ?? mailFile ?? 'off') !== 'off';
  return (serverSecrets || sealsMails) && realDatabase ? (['GATEHOUSE_SERVER_SECRETS'] as const) : [];
}

function openStores(config: Config): Promise<Ports> {
  if (config.databaseUrl === undefined && !existsSync(config.dataFolder)) {
    throw new ConfigurationError([
      `There is no database: GATEHOUSE_DATABASE_URL is not set, and there is no embedded one in ${config.dataFolder}. ` +
        'Set it, or run gatehouse dev once.',
    ]);
  }
  // Commands use neither signing keys nor clients. With an explicit reference, opening the key store does not create a
  // key file.
  const keys = config.keys ?? `file:${join(config.dataFolder, 'keys.json')}`;
  // Commands write events and publish none, so they need no AWS region.
  const unused = { clientsFile: undefined, eventsSink: 'none' };
  return openPorts({ ...config, keys, ...unused }, { clock, logger: silentLogger() });
}

/** The embedded database belongs to `gatehouse dev`, which writes mails into a folder if nothing else is set. */
const withDevMail = (config: Config): Config => {
  const isDev = config.databaseUrl === undefined && config.mail === undefined;
  return isDev ? { ...config, mail: { kind: 'folder' } } : config;
};

const newEvent = createNewEvent({ clock, actor: 'operator' });

interface ComposedNeeds extends StoreNeeds {
  eventCommitted: () => void;
  writeMail: WriteMail | undefined;
  mailKeys: ServerKeys | undefined;
}

/** Assembles the modules as the servers do, but without background jobs. */
function composeStores(
  config: Config,
  accessModel: AccessModel,
  opened: Ports,
  { manyAccounts = false, eventCommitted, writeMail, mailKeys }: ComposedNeeds,
): Stores {
  const logger = silentLogger();
  const denylist = createCachedDenylist({
    store: opened.denylist,
    cache: opened.revocationCache,
    clock,
    logger,
  });
  const unitOfWork = noticeChanges(opened.unitOfWork, {
    clock,
    denylist,
    eventCommitted,
    everything: manyAccounts,
  });
  const ports = { ...opened, unitOfWork };
  const revocation = composeRevocation({ config, ports, denylist, unitOfWork, newEvent, clock, logger });
  const clientRevocation = createClientRevocation({
    unitOfWork,
    clock,
    denylist,
    // The setting is not used, because the servers may have another value, or had another one when they issued the
    // tokens.
    refreshTokenSeconds: longestRefreshTokenSeconds,
  });
  const accountParts = accountPartsOf(config, ports, writeMail);
  const serverKeys = async () => createServerKeys(await serverSecretsReader(config, ports.secrets)());
  return {
    config,
    accessModel,
    ports,
    accounts: createAccounts({ ...accountParts, permissionsByRole: accessModel.roles }),
    invitations: mailKeys && invitationsOf(config, accountParts, mailKeys),
    newEvent,
    writeMail,
    revocation,
    clientRevocation,
    clientWrites: createClientWrites({
      store: ports.clients,
      unitOfWork,
      endClients: clientRevocation.endWithin,
      clock,
    }),
    serverKeys,
    signIns: async () => {
      // If a session can't be removed from the list, no error is reported here: ending the session reports its own
      // errors.
      const parts = { config, ports, serverKeys: await serverKeys(), clock, revocation, logger };
      return composeSignIns(parts).signIns;
    },
    redisHint: redisHint(config),
  };
}

function accountPartsOf(config: Config, ports: Ports, writeMail: WriteMail | undefined) {
  const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock });
  return {
    ports,
    accounts: ports.accounts,
    unitOfWork: ports.unitOfWork,
    passwords: createPasswords({ params: passwordParams(config), pool }),
    passwordRules: composePasswordRules(config, ports.passwordBlocklists),
    newEvent,
    writeMail,
    clock,
  };
}

function invitationsOf(
  { issuer }: Config,
  { ports, ...parts }: ReturnType<typeof accountPartsOf>,
  keys: ServerKeys,
): Invitations {
  const tokens = createOneTimeTokens({ oneTimeTokens: ports.oneTimeTokens, keys, clock });
  return createInvitations({ ...parts, tokens, issuer });
}

function redisHint({ databaseUrl, redisUrl }: Config): string {
  if (databaseUrl === undefined || redisUrl !== undefined) return '';
  return 'GATEHOUSE_REDIS_URL is not set here: if the servers have one, set it, since they keep sign-ins there.';
}
