import { readFileSync } from 'node:fs';
import { readDatabaseUrl, readRedisUrl } from '../lib/connection-urls.ts';
import {
  databaseTokenProblems,
  readIamTokenReference,
  redisTokenProblems,
} from '../lib/iam-token-reference.ts';
import type { Config, ConfigKey } from './schema.ts';
import { hostOf, isDomain } from './uris.ts';

/** A rule about several settings. It is checked only when each of `settings` is valid by itself. */
export interface Check {
  settings: ConfigKey[];
  /** Gives undefined when the rule holds. Otherwise says what is wrong and what to do, and names the variables. */
  problem(config: Config): string | undefined;
}

/**
 * The smallest allowed product of memory (in KiB) and passes. OWASP lists several sets of parameters of equal strength,
 * and this product is about the same in all of them.
 */
const leastArgon2Work = 35_840;
/** The same product, at most: as much as an imported hash may cost (docs/import.md). More would refuse our own hashes. */
const mostArgon2Work = 2_560_000;

/** The files with certificates that the URL names, and that can't be read. The file with the private key is a secret. */
function unreadableCertificates(databaseUrl: string): string[] {
  const read = readDatabaseUrl(databaseUrl);
  if (!read.ok || read.value.tls === false) return [];
  const { caFile, certFile } = read.value.tls;
  return Object.entries({ sslrootcert: caFile, sslcert: certFile }).flatMap(([parameter, path]) => {
    const reason = path === undefined ? undefined : unreadable(path);
    return reason === undefined ? [] : [`${parameter} (${reason})`];
  });
}

/** Why a file can't be read. */
function unreadable(path: string): string | undefined {
  try {
    readFileSync(path);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

/** Whether a passkey of this domain can be used on this host (WebAuthn §5.1.3: a registrable domain suffix). */
const isOrIsAbove = (rpId: string, host: string) =>
  rpId === host || (rpId.includes('.') && host.endsWith(`.${rpId}`));

/** What a URL lacks for IAM tokens, as one sentence. */
function tokenProblem(password: string, url: string, problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined;
  return `${password} asks for IAM tokens, so ${url} ${problems.join(', and it ')}.`;
}

export const checks: readonly Check[] = [
  {
    settings: ['secondFactorRemovalHours', 'mail'],
    problem: ({ secondFactorRemovalHours, mail }) =>
      secondFactorRemovalHours > 0 && (mail === undefined || mail.kind === 'off')
        ? 'GATEHOUSE_SECOND_FACTOR_REMOVAL_HOURS needs GATEHOUSE_MAIL: without a mail, the person could not stop a thief of the password. Set it, or leave the waiting time at 0.'
        : undefined,
  },
  {
    settings: ['audience', 'issuer'],
    problem: ({ audience, issuer }) =>
      audience.replace(/\/$/, '') === issuer
        ? 'GATEHOUSE_AUDIENCE must differ from GATEHOUSE_ISSUER: tokens whose audience is the issuer are for userinfo only. Name the API, or leave it unset.'
        : undefined,
  },
  {
    settings: ['issuer'],
    problem: ({ issuer }) =>
      new URL(issuer).port === '0'
        ? 'GATEHOUSE_ISSUER must be set, with a port that is known, when GATEHOUSE_PORT is 0 (any free port).'
        : undefined,
  },
  {
    settings: ['issuer', 'passkeys'],
    problem: ({ issuer, passkeys }) =>
      passkeys === 'on' && !isDomain(hostOf(issuer))
        ? 'GATEHOUSE_PASSKEYS=on needs an issuer with a domain name: browsers make no passkeys for an IP address (WebAuthn §5.1.3).'
        : undefined,
  },
  {
    settings: ['issuer', 'passkeys', 'passkeyRpId'],
    problem: ({ issuer, passkeys, passkeyRpId }) =>
      passkeys === 'off' || isOrIsAbove(passkeyRpId, hostOf(issuer))
        ? undefined
        : `GATEHOUSE_PASSKEY_RP_ID must be the host of GATEHOUSE_ISSUER (${hostOf(issuer)}) or a domain above it with at least two parts. Browsers refuse any other.`,
  },
  {
    settings: ['port', 'opsPort'],
    problem: ({ port, opsPort }) =>
      port === opsPort && port !== 0
        ? 'GATEHOUSE_OPS_PORT must differ from GATEHOUSE_PORT: metrics must not be on the public listener.'
        : undefined,
  },
  {
    settings: ['keys', 'keysSecret'],
    problem: ({ keys, keysSecret }) =>
      (keys === 'postgres:') === (keysSecret !== undefined)
        ? undefined
        : 'GATEHOUSE_KEYS=postgres: and GATEHOUSE_KEYS_SECRET need each other: the secret encrypts the signing keys in Postgres. Set both, or neither.',
  },
  {
    settings: ['databasePassword', 'databaseUrl'],
    problem: ({ databasePassword, databaseUrl }) =>
      databasePassword !== undefined && databaseUrl === undefined
        ? 'GATEHOUSE_DATABASE_PASSWORD is set without GATEHOUSE_DATABASE_URL. Set that too.'
        : undefined,
  },
  {
    settings: ['databaseUrl'],
    problem: ({ databaseUrl }) => {
      const unreadable = databaseUrl === undefined ? [] : unreadableCertificates(databaseUrl);
      if (unreadable.length === 0) return undefined;
      return `GATEHOUSE_DATABASE_URL names files that can't be read: ${unreadable.join(', ')}. Check their paths and permissions.`;
    },
  },
  {
    settings: ['redisPassword', 'redisUrl'],
    problem: ({ redisPassword, redisUrl }) =>
      redisPassword !== undefined && redisUrl === undefined
        ? 'GATEHOUSE_REDIS_PASSWORD is set without GATEHOUSE_REDIS_URL. Set that too.'
        : undefined,
  },
  {
    settings: ['databasePassword', 'databaseUrl'],
    problem: ({ databasePassword, databaseUrl = '' }) => {
      const read = readDatabaseUrl(databaseUrl);
      if (!read.ok || readIamTokenReference(databasePassword) === undefined) return undefined;
      const problems = databaseTokenProblems(read.value);
      return tokenProblem('GATEHOUSE_DATABASE_PASSWORD', 'GATEHOUSE_DATABASE_URL', problems);
    },
  },
  {
    settings: ['redisPassword', 'redisUrl'],
    problem: ({ redisPassword, redisUrl = '' }) => {
      const read = readRedisUrl(redisUrl);
      if (!read.ok || readIamTokenReference(redisPassword) === undefined) return undefined;
      return tokenProblem('GATEHOUSE_REDIS_PASSWORD', 'GATEHOUSE_REDIS_URL', redisTokenProblems(read.value));
    },
  },
  {
    settings: ['redisCaFile', 'redisUrl'],
    problem: ({ redisCaFile, redisUrl }) => {
      if (redisCaFile === undefined) return undefined;
      const read = redisUrl === undefined ? undefined : readRedisUrl(redisUrl);
      if (read === undefined || (read.ok && !read.value.tls))
        return 'GATEHOUSE_REDIS_CA_FILE is set, but there is no GATEHOUSE_REDIS_URL that begins with rediss://, so there is no TLS. Change the URL, or leave the file unset.';
      const reason = unreadable(redisCaFile);
      return (
        reason && `GATEHOUSE_REDIS_CA_FILE can't be read (${reason}). Check its path and its permissions.`
      );
    },
  },
  {
    settings: ['refreshTokenStore', 'redisUrl'],
    problem: ({ refreshTokenStore, redisUrl }) =>
      refreshTokenStore === 'redis' && redisUrl === undefined
        ? 'GATEHOUSE_REFRESH_TOKEN_STORE is redis, but GATEHOUSE_REDIS_URL is unset. Set that, or choose postgres.'
        : undefined,
  },
  {
    settings: ['redisCluster', 'redisUrl'],
    problem: ({ redisCluster, redisUrl }) => {
      if (!redisCluster) return undefined;
      if (redisUrl === undefined) {
        return 'GATEHOUSE_REDIS_CLUSTER is true, but GATEHOUSE_REDIS_URL is unset. Set that too.';
      }
      const read = readRedisUrl(redisUrl);
      return !read.ok || read.value.database === 0
        ? undefined
        : 'GATEHOUSE_REDIS_URL must not name a database (the number at its end) with GATEHOUSE_REDIS_CLUSTER: a cluster has database 0 only.';
    },
  },
  {
    settings: ['refreshTokenIdleDays', 'refreshTokenAbsoluteDays'],
    problem: ({ refreshTokenIdleDays, refreshTokenAbsoluteDays }) =>
      refreshTokenIdleDays > refreshTokenAbsoluteDays
        ? 'GATEHOUSE_REFRESH_TOKEN_IDLE_DAYS must not be more than GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS.'
        : undefined,
  },
  {
    settings: ['sessionIdleSeconds', 'sessionAbsoluteSeconds'],
    problem: ({ sessionIdleSeconds, sessionAbsoluteSeconds }) =>
      sessionIdleSeconds > sessionAbsoluteSeconds
        ? 'GATEHOUSE_SESSION_IDLE_SECONDS must not be more than GATEHOUSE_SESSION_ABSOLUTE_SECONDS.'
        : undefined,
  },
  {
    settings: ['keysPollSeconds', 'keyLeadSeconds'],
    problem: ({ keysPollSeconds, keyLeadSeconds }) =>
      keysPollSeconds >= keyLeadSeconds
        ? 'GATEHOUSE_KEYS_POLL_SECONDS must be less than GATEHOUSE_KEY_LEAD_SECONDS: every process must know a new key before it signs.'
        : undefined,
  },
  {
    settings: ['argon2MemoryKib', 'argon2Passes'],
    problem: ({ argon2MemoryKib, argon2Passes }) =>
      argon2MemoryKib * argon2Passes < leastArgon2Work
        ? `GATEHOUSE_ARGON2_MEMORY_KIB times GATEHOUSE_ARGON2_PASSES must be at least ${leastArgon2Work}: less is too easy to guess through. Raise one of them.`
        : argon2MemoryKib * argon2Passes > mostArgon2Work
          ? `GATEHOUSE_ARGON2_MEMORY_KIB times GATEHOUSE_ARGON2_PASSES must be at most ${mostArgon2Work}: a sign-in with more takes seconds. Lower one of them.`
          : undefined,
  },
  {
    settings: ['mail', 'mailFrom'],
    problem: ({ mail, mailFrom }) =>
      mail !== undefined && mail.kind !== 'off' && mailFrom === undefined
        ? 'GATEHOUSE_MAIL is set without GATEHOUSE_MAIL_FROM, the sender of the mails. Set that too.'
        : undefined,
  },
  {
    settings: ['signupVerification', 'mail', 'databaseUrl'],
    problem: ({ signupVerification, mail, databaseUrl }) =>
      // The embedded database belongs to `gatehouse dev`, which writes mails into a folder if GATEHOUSE_MAIL is not set.
      signupVerification.graceDays !== undefined && (mail?.kind ?? (databaseUrl ? 'off' : 'folder')) === 'off'
        ? 'GATEHOUSE_SIGNUP_VERIFICATION is set, but mail is off, so people could not prove their addresses. Set GATEHOUSE_MAIL, or set GATEHOUSE_SIGNUP_VERIFICATION to off.'
        : undefined,
  },
  {
    settings: ['mail', 'smtpUser', 'smtpPassword'],
    problem: ({ mail, smtpUser, smtpPassword }) => {
      if ((smtpUser === undefined) !== (smtpPassword === undefined))
        return 'GATEHOUSE_SMTP_USER and GATEHOUSE_SMTP_PASSWORD need each other. Set both, or neither.';
      return smtpUser !== undefined && mail?.kind !== 'smtp'
        ? 'GATEHOUSE_SMTP_USER is set, but GATEHOUSE_MAIL names no SMTP server. Name one, or leave the user unset.'
        : undefined;
    },
  },
  {
    settings: ['mail', 'mailFeedbackQueue', 'sesConfigurationSet'],
    problem: ({ mail, mailFeedbackQueue, sesConfigurationSet }) =>
      mail?.kind === 'smtp' && (mailFeedbackQueue ?? sesConfigurationSet) !== undefined
        ? 'GATEHOUSE_MAIL_FEEDBACK_QUEUE and GATEHOUSE_SES_CONFIGURATION_SET are for Amazon SES, and GATEHOUSE_MAIL names an SMTP server. Set GATEHOUSE_MAIL to ses, or leave both unset.'
        : undefined,
  },
  {
    settings: ['accentColorDark', 'accentColor'],
    problem: ({ accentColorDark, accentColor }) =>
      accentColorDark !== undefined && accentColor === undefined
        ? 'GATEHOUSE_ACCENT_COLOR_DARK is set without GATEHOUSE_ACCENT_COLOR. Set that too.'
        : undefined,
  },
  {
    settings: ['logoDarkFile', 'logoFile'],
    problem: ({ logoDarkFile, logoFile }) =>
      logoDarkFile !== undefined && logoFile === undefined
        ? 'GATEHOUSE_LOGO_DARK_FILE is set without GATEHOUSE_LOGO_FILE. Set that too.'
        : undefined,
  },
];
