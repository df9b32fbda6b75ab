import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type LoadOptions, loadConfig } from '../../provider/config/load.ts';
import { settingList } from '../../provider/config/schema.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';

function problemsOf(options: LoadOptions): string[] {
  try {
    loadConfig(options);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const files = (content: Record<string, string>) => (path: string) => {
  const text = content[path];
  if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
  return text;
};

describe('defaults', () => {
  test('an empty environment is a valid configuration', () => {
    const config = loadConfig({ env: {} });
    expect(config).toMatchObject({
      issuer: 'http://localhost:3000',
      audience: 'http://localhost:3000/api',
      port: 3000,
      opsPort: 9090,
      host: undefined,
      accessTokenSeconds: 900,
      graceSeconds: 10,
      refreshTokenStore: 'postgres',
      trustedProxies: [],
      signup: false,
    });
    expect(config.hashingConcurrency).toBeGreaterThanOrEqual(1);
    expect(Object.keys(config).sort()).toEqual(settingList.map(({ key }) => key).sort());
  });

  test('computed defaults follow their source settings', () => {
    const env = { GATEHOUSE_ISSUER: 'https://login.example.com/x', GATEHOUSE_REDIS_URL: 'redis://cache' };
    expect(loadConfig({ env })).toMatchObject({
      audience: 'https://login.example.com/x/api',
      refreshTokenStore: 'redis',
    });
  });

  test('an empty value counts as unset', () => {
    expect(loadConfig({ env: { GATEHOUSE_PORT: '', GATEHOUSE_HOST: '', GATEHOUSE_PROT: '' } })).toMatchObject(
      {
        port: 3000,
        host: undefined,
      },
    );
  });

  test('every name is its key in capitals, and no name is another name with _FILE', () => {
    const names = settingList.map(({ setting }) => setting.name as string);
    for (const { key, setting } of settingList) {
      const plain = key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
      expect(setting.name).toBe(`GATEHOUSE_${plain}`);
      expect(names).not.toContain(`${setting.name}_FILE`);
    }
    expect(new Set(names).size).toBe(names.length);
  });

  test('every example is an allowed value', () => {
    for (const { setting } of settingList) {
      if (setting.example !== undefined) expect(setting.schema.safeParse(setting.example).success).toBe(true);
    }
  });
});

describe('values', () => {
  test.each([
    ['GATEHOUSE_ISSUER', 'https://login.example.com'],
    ['GATEHOUSE_ISSUER', 'https://login.example.com:8443/tenant'],
    ['GATEHOUSE_ISSUER', 'http://127.0.0.1:3000'],
    ['GATEHOUSE_ISSUER', 'http://[::1]:3000'],
    ['GATEHOUSE_ISSUER', 'http://id.localhost:3000'],
    ['GATEHOUSE_AUDIENCE', 'urn:example:api'],
    ['GATEHOUSE_GRACE_SECONDS', '0'],
    ['GATEHOUSE_TRUSTED_PROXIES', '10.0.0.0/8, fd00::/8 192.0.2.1'],
    ['GATEHOUSE_DATABASE_URL', 'postgresql:///gatehouse?host=/run/postgresql'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://u:p%40ss%2Fw%23%3F%25@[::1]:6432/gate%20house?sslmode=require'],
    ['GATEHOUSE_DATABASE_URL', 'POSTGRES://u@%2Frun%2Fpostgresql/d'],
    ['GATEHOUSE_DATABASE_URL', 'file:/run/secrets/database-url'],
    ['GATEHOUSE_REDIS_URL', 'secretsmanager:gatehouse/redis#url'],
    ['GATEHOUSE_REDIS_URL', 'rediss://:p%40ss%2Fw%23%3F%25@cache.example.com:6380/15'],
    ['GATEHOUSE_KEYS', 'file:keys.json'],
    [
      'GATEHOUSE_KEYS',
      'secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:gatehouse/keys-a1B2c3',
    ],
    ['GATEHOUSE_APP_NAME', 'Züri & Söhne'],
    ['GATEHOUSE_LANGUAGES', 'pt-br, en'],
    ['GATEHOUSE_ACCENT_COLOR', '#767676'],
    ['GATEHOUSE_PRIVACY_URL', 'https://example.com/privacy?from=login'],
    ['GATEHOUSE_SUPPORT_URL', 'mailto:help@example.com'],
  ])('%s takes %s', (name, text) => {
    expect(problemsOf({ env: { [name]: text } })).toEqual([]);
  });

  test.each([
    ['GATEHOUSE_ISSUER', 'login.example.com', 'https URL'],
    ['GATEHOUSE_ISSUER', 'http://login.example.com', 'must begin with https://'],
    ['GATEHOUSE_ISSUER', 'http://notlocalhost', 'must begin with https://'],
    ['GATEHOUSE_ISSUER', 'http://localhost.example.com', 'must begin with https://'],
    ['GATEHOUSE_ISSUER', 'http://127.0.0.1.example.com', 'must begin with https://'],
    ['GATEHOUSE_ISSUER', 'https://login.example.com/', 'slash'],
    ['GATEHOUSE_ISSUER', 'https://login.example.com?', 'query'],
    ['GATEHOUSE_ISSUER', 'https://login.example.com#a', 'fragment'],
    ['GATEHOUSE_ISSUER', 'https://Login.example.com:443', 'normal form: https://login.example.com'],
    ['GATEHOUSE_ISSUER', 'ftp://login.example.com', 'https URL'],
    ['GATEHOUSE_PORT', '70000', 'from 0 to 65535'],
    ['GATEHOUSE_KEYS', 'secretsmanager:', 'secretsmanager:NAME-OR-ARN'],
    ['GATEHOUSE_KEYS', 'postgres:other', 'or postgres:'],
    ['GATEHOUSE_PORT', '3000 ', 'whole number'],
    ['GATEHOUSE_PORT', '0x10', 'whole number'],
    ['GATEHOUSE_PORT', '-1', 'whole number'],
    ['GATEHOUSE_ACCESS_TOKEN_SECONDS', '3601', 'from 60 to 3600'],
    ['GATEHOUSE_GRACE_SECONDS', '61', 'from 0 to 60'],
    ['GATEHOUSE_REFRESH_TOKEN_IDLE_DAYS', '6', 'from 7 to 30'],
    ['GATEHOUSE_SIGNUP', 'yes', 'true or false'],
    ['GATEHOUSE_LOG_LEVEL', 'trace', 'debug, info, warn, error'],
    ['GATEHOUSE_AUDIENCE', 'api', 'absolute URI'],
    ['GATEHOUSE_AUDIENCE', 'https://api.example.com#x', 'without a fragment'],
    ['GATEHOUSE_AUDIENCE', 'http://localhost:3000', 'must differ from GATEHOUSE_ISSUER'],
    ['GATEHOUSE_TRUSTED_PROXIES', '0.0.0.0/0', 'not everybody'],
    ['GATEHOUSE_TRUSTED_PROXIES', '10.0.0.0/33', 'addresses or ranges'],
    ['GATEHOUSE_TRUSTED_PROXIES', '10.0.0.0/8,proxy', 'addresses or ranges'],
    ['GATEHOUSE_REDIS_KEY_PREFIX', 'a{b}', 'letters, digits'],
    ['GATEHOUSE_EVENTS_SINK', 'eventbridge:', 'eventbridge: with the name'],
    ['GATEHOUSE_EVENTS_SINK', 'eventbridge:arn:aws:sqs:eu-west-1:123456789012:queue', 'an event bus'],
    ['GATEHOUSE_EVENTS_SINK', 'sqs', 'an event bus'],
    ['GATEHOUSE_DATABASE_URL', 'mysql://db', 'postgres://'],
    ['GATEHOUSE_DATABASE_URL', 'vault:database', 'or a reference to one: file:/path/of/the/file or env:'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://db/d?sslmode=prefer', 'use verify-full'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://db/d?application_name=x', '(application_name)'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://u:100%@db/d', '% as %25'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://u:a%ffb@db/d', 'not UTF-8'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://db,other/d', 'no host name'],
    ['GATEHOUSE_DATABASE_URL', 'postgres://db/d?sslrootcert=/no/such/ca.pem', 'sslrootcert (ENOENT)'],
    ['GATEHOUSE_REDIS_URL', 'redis://cache/abc', 'no database number'],
    ['GATEHOUSE_REDIS_URL', 'redis:///1', 'names no host'],
    ['GATEHOUSE_REDIS_URL', 'rediss://cache?ssl_cert_reqs=none', 'has parameters'],
    ['GATEHOUSE_DATABASE_PASSWORD', 'env:my-password', 'not the secret itself'],
    ['GATEHOUSE_DATABASE_PASSWORD', 'rds-iam:db.example.com', ' or rds-iam:'],
    ['GATEHOUSE_DATABASE_PASSWORD', 'elasticache-iam:gatehouse', ' or rds-iam:'],
    ['GATEHOUSE_REDIS_PASSWORD', 'rds-iam:', 'elasticache-iam:NAME_OF_THE_CACHE'],
    ['GATEHOUSE_REDIS_PASSWORD', 'elasticache-iam:Gatehouse', 'elasticache-iam:NAME_OF_THE_CACHE'],
    ['GATEHOUSE_KEYS_SECRET', 'rds-iam:', 'not the secret itself'],
    ['GATEHOUSE_LANGUAGES', 'en, de_CH', 'language tags'],
    ['GATEHOUSE_LANGUAGES', 'en EN', 'each once'],
    ['GATEHOUSE_LANGUAGES', ',', 'language tags'],
    ['GATEHOUSE_ACCENT_COLOR', 'red', 'a colour like #1d5c48'],
    ['GATEHOUSE_ACCENT_COLOR', '#777777', "4.5:1 with the light card's #ffffff"],
    ['GATEHOUSE_ACCENT_COLOR', '#777777', 'has 4.47:1: choose a darker shade'],
    ['GATEHOUSE_ACCENT_COLOR_DARK', '#1d5c48', 'has 2.14:1: choose a lighter shade'],
    ['GATEHOUSE_PRIVACY_URL', 'http://example.com/privacy', 'an https URL'],
    ['GATEHOUSE_PRIVACY_URL', 'javascript:alert(1)', 'an https URL'],
    ['GATEHOUSE_TERMS_URL', 'mailto:help@example.com', 'an https URL'],
    ['GATEHOUSE_SUPPORT_URL', 'mailto:help@example.com?body=x', 'mailto:help@example.com'],
  ])('%s refuses %s', (name, text, reason) => {
    const problems = problemsOf({ env: { [name]: text } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
    expect(problems[0]).toContain(reason);
  });

  test('trusted proxies are parsed into addresses and ranges', () => {
    const { trustedProxies } = loadConfig({ env: { GATEHOUSE_TRUSTED_PROXIES: '10.0.0.0/8, ::1' } });
    expect(trustedProxies).toEqual([
      { address: '10.0.0.0', prefix: 8, family: 'ipv4' },
      { address: '::1', prefix: 128, family: 'ipv6' },
    ]);
  });
});

describe('combinations of settings', () => {
  test.each<[Record<string, string>, string]>([
    [{ GATEHOUSE_PORT: '9090' }, 'GATEHOUSE_OPS_PORT must differ'],
    [{ GATEHOUSE_PORT: '0' }, 'GATEHOUSE_ISSUER must be set'],
    [{ GATEHOUSE_DATABASE_PASSWORD: 'file:p' }, 'without GATEHOUSE_DATABASE_URL'],
    [{ GATEHOUSE_KEYS: 'postgres:' }, 'GATEHOUSE_KEYS=postgres: and GATEHOUSE_KEYS_SECRET need each other'],
    [
      { GATEHOUSE_KEYS_SECRET: 'env:K' },
      'GATEHOUSE_KEYS=postgres: and GATEHOUSE_KEYS_SECRET need each other',
    ],
    [{ GATEHOUSE_REDIS_PASSWORD: 'file:p' }, 'without GATEHOUSE_REDIS_URL'],
    [
      { GATEHOUSE_REDIS_CA_FILE: 'ca.pem', GATEHOUSE_REDIS_URL: 'redis://cache' },
      'there is no GATEHOUSE_REDIS_URL that begins with rediss://',
    ],
    [{ GATEHOUSE_REDIS_CA_FILE: 'ca.pem' }, 'there is no GATEHOUSE_REDIS_URL that begins with rediss://'],
    [
      { GATEHOUSE_REDIS_CA_FILE: '/no/such/ca.pem', GATEHOUSE_REDIS_URL: 'rediss://cache' },
      "GATEHOUSE_REDIS_CA_FILE can't be read (ENOENT)",
    ],
    [{ GATEHOUSE_REFRESH_TOKEN_STORE: 'redis' }, 'GATEHOUSE_REDIS_URL is unset'],
    [{ GATEHOUSE_REDIS_CLUSTER: 'true' }, 'GATEHOUSE_REDIS_URL is unset'],
    [{ GATEHOUSE_REDIS_CLUSTER: 'true', GATEHOUSE_REDIS_URL: 'redis://c/3' }, 'database 0 only'],
    [{ GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS: '7' }, 'GATEHOUSE_REFRESH_TOKEN_IDLE_DAYS must not be more'],
    [{ GATEHOUSE_SESSION_ABSOLUTE_SECONDS: '300' }, 'GATEHOUSE_SESSION_IDLE_SECONDS must not be more'],
    [{ GATEHOUSE_KEY_LEAD_SECONDS: '60' }, 'GATEHOUSE_KEYS_POLL_SECONDS must be less'],
    [{ GATEHOUSE_ARGON2_PASSES: '1' }, 'GATEHOUSE_ARGON2_MEMORY_KIB times'],
    [{ GATEHOUSE_ARGON2_MEMORY_KIB: '262144', GATEHOUSE_ARGON2_PASSES: '10' }, 'must be at most 2560000'],
    [{ GATEHOUSE_ACCENT_COLOR_DARK: '#e39bc8' }, 'without GATEHOUSE_ACCENT_COLOR.'],
    [
      {
        GATEHOUSE_MAIL: 'smtps://smtp.example.com',
        GATEHOUSE_MAIL_FROM: 'login@example.com',
        GATEHOUSE_MAIL_FEEDBACK_QUEUE: 'https://sqs.eu-central-1.amazonaws.com/111122223333/reports',
      },
      'are for Amazon SES, and GATEHOUSE_MAIL names an SMTP server',
    ],
    [{ GATEHOUSE_LOGO_DARK_FILE: 'dark.svg' }, 'without GATEHOUSE_LOGO_FILE.'],
  ])('%j is refused', (env, reason) => {
    const problems = problemsOf({ env });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });

  test('IAM tokens need a user name and TLS that is verified, and all that is missing is said at once', () => {
    const iam = {
      GATEHOUSE_DATABASE_PASSWORD: 'rds-iam:',
      GATEHOUSE_REDIS_PASSWORD: 'elasticache-serverless-iam:gatehouse',
    };
    const problemsWith = (database: string, redis: string) =>
      problemsOf({ env: { ...iam, GATEHOUSE_DATABASE_URL: database, GATEHOUSE_REDIS_URL: redis } });
    expect(problemsWith('postgres://db/d', 'redis://cache')).toEqual([
      'GATEHOUSE_DATABASE_PASSWORD asks for IAM tokens, so GATEHOUSE_DATABASE_URL needs the name of the database user, and it needs sslmode=verify-full and, for RDS, sslrootcert with the path of its certificate bundle.',
      'GATEHOUSE_REDIS_PASSWORD asks for IAM tokens, so GATEHOUSE_REDIS_URL needs the name of the ElastiCache user, and it must begin with rediss://.',
    ]);
    expect(problemsWith('postgres://u@db/d?sslmode=no-verify', 'rediss://u@cache')).toEqual([
      expect.stringContaining('sslmode=verify-full'),
    ]);
    expect(problemsWith('postgres://u@db/d?sslmode=verify-full', 'rediss://u@cache')).toEqual([]);
  });

  test.each([
    ['https://login.example.com', undefined, 'on', 'login.example.com'],
    ['https://login.example.com/id', 'example.com', 'on', 'example.com'],
    ['http://localhost:3000', undefined, 'on', 'localhost'],
    ['http://127.0.0.1:3000', undefined, 'off', 'localhost'],
    ['http://[::1]:3000', undefined, 'off', 'localhost'],
    ['https://my_host.example.com', undefined, 'off', 'localhost'],
  ])(
    'passkeys at the issuer %s with the domain %s are %s for %s',
    (issuer, domain, passkeys, passkeyRpId) => {
      const env = {
        GATEHOUSE_ISSUER: issuer,
        ...(domain === undefined ? {} : { GATEHOUSE_PASSKEY_RP_ID: domain }),
      };
      expect(loadConfig({ env })).toMatchObject({ passkeys, passkeyRpId });
    },
  );

  test.each(['com', 'other.com', 'gin.example.com', 'a.login.example.com', 'my.login.example.com'])(
    'passkeys of login.example.com can not be for the domain %s',
    (domain) => {
      const env = { GATEHOUSE_ISSUER: 'https://login.example.com', GATEHOUSE_PASSKEY_RP_ID: domain };
      expect(problemsOf({ env })).toEqual([
        expect.stringContaining(
          'GATEHOUSE_PASSKEY_RP_ID must be the host of GATEHOUSE_ISSUER (login.example.com)',
        ),
      ]);
      expect(problemsOf({ env: { ...env, GATEHOUSE_PASSKEYS: 'off' } })).toEqual([]);
    },
  );

  test('passkeys can not be switched on for an IP address', () => {
    const env = { GATEHOUSE_ISSUER: 'http://127.0.0.1:3000', GATEHOUSE_PASSKEYS: 'on' };
    expect(problemsOf({ env })[0]).toContain('GATEHOUSE_PASSKEYS=on needs an issuer with a domain name');
  });

  test('two free ports are allowed', () => {
    const env = { GATEHOUSE_ISSUER: 'http://localhost:3999', GATEHOUSE_PORT: '0', GATEHOUSE_OPS_PORT: '0' };
    expect(problemsOf({ env })).toEqual([]);
  });

  test.each([
    ['4000', 'http://localhost:4000'],
    ['80', 'http://localhost'],
  ])('the default issuer has the port %s, and the default API is below it', (port, issuer) => {
    const env = { GATEHOUSE_PORT: port };
    expect(loadConfig({ env })).toMatchObject({ issuer, audience: `${issuer}/api` });
    expect(loadConfig({ env: { ...env, GATEHOUSE_ISSUER: 'https://id.example' } }).issuer).toBe(
      'https://id.example',
    );
  });
});

describe('problems', () => {
  test('of every kind are listed at once', () => {
    const problems = problemsOf({
      env: {
        GATEHOUSE_PORT: 'many',
        GATEHOUSE_ISUER: 'x',
        GATEHOUSE_SIGNUP_FILE: '/missing',
        GATEHOUSE_REDIS_CLUSTER: 'true',
      },
      required: ['GATEHOUSE_KEYS'],
      readFile: files({}),
    });
    expect(problems).toEqual([
      'GATEHOUSE_ISUER: there is no such setting. Did you mean GATEHOUSE_ISSUER?',
      "GATEHOUSE_SIGNUP_FILE: the file /missing can't be read (ENOENT). Check the path and its permissions.",
      'GATEHOUSE_PORT ("many") must be a whole number from 0 to 65535.',
      'GATEHOUSE_KEYS is not set, and nothing works without it. Set it, for example file:/var/lib/gatehouse/keys.json.',
      'GATEHOUSE_REDIS_CLUSTER is true, but GATEHOUSE_REDIS_URL is unset. Set that too.',
    ]);
  });

  test('never contain a secret, whichever setting contains it', () => {
    const secret = 'hunter2hunter2';
    const named = settingList.filter(({ setting }) => setting.secret || setting.reference);
    expect(named.map(({ key }) => key)).toEqual([
      'databaseUrl',
      'databasePassword',
      'redisUrl',
      'redisPassword',
      'keys',
      'keysSecret',
      'serverSecrets',
      'smtpPassword',
    ]);
    const env = Object.fromEntries(named.map(({ setting }) => [setting.name, `x:${secret}`]));
    const problems = problemsOf({
      env: {
        ...env,
        GATEHOUSE_ISSUER: `https://me:${secret}@login.example.com`,
        GATEHOUSE_AUDIENCE_FILE: '/a',
        GATEHOUSE_LOG_LEVEL: `postgres://me:${secret}@db`,
      },
      readFile: files({ '/a': secret }),
    });
    expect(problems).toHaveLength(11);
    expect(problems.join('\n')).not.toContain(secret);
  });

  test('never hold a part of a password that a parser takes for a host, a path or a parameter', () => {
    const passwords = [
      'hunter2/more',
      'hunter2#more',
      'more/hunter2',
      'more?hunter2',
      '12/hunter2',
      '12?hunter2=1',
    ];
    passwords.push(
      'more@hunter2',
      '12#hunter2',
      '@hunter2/',
      'hunter2%',
      '%hunter2',
      'a b/hunter2',
      'more\thunter2',
    );
    for (const password of passwords) {
      for (const [name, scheme] of [
        ['GATEHOUSE_DATABASE_URL', 'postgres'],
        ['GATEHOUSE_REDIS_URL', 'redis'],
        ['GATEHOUSE_REDIS_URL', 'rediss'],
        ['GATEHOUSE_ISSUER', 'https'],
        ['GATEHOUSE_LOG_LEVEL', 'https'],
      ] as const) {
        const problems = problemsOf({ env: { [name]: `${scheme}://me:${password}@db.example.com/0` } });
        expect([name, password, problems.length]).toEqual([name, password, 1]);
        expect(problems.join()).not.toMatch(/hunter2|more/);
      }
    }
  });

  test('never hold a secret that was put where the path of its file belongs', () => {
    const env = {
      GATEHOUSE_DATABASE_URL_FILE: 'postgres://me:hunter2@db',
      GATEHOUSE_SERVER_SECRETS_FILE: 'hunter2',
    };
    const problems = problemsOf({ env, readFile: files({}) });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('a long value is truncated', () => {
    expect(problemsOf({ env: { GATEHOUSE_PORT: '9'.repeat(5000) } })[0]?.length).toBeLessThan(200);
  });
});

describe('_FILE', () => {
  test('reads the content of the file without the line break at its end', () => {
    const readFile = files({ '/i': 'https://a.example\n', '/n': 'Two Words\r\n' });
    const env = { GATEHOUSE_ISSUER_FILE: '/i', GATEHOUSE_APP_NAME_FILE: '/n' };
    expect(loadConfig({ env, readFile })).toMatchObject({
      issuer: 'https://a.example',
      appName: 'Two Words',
    });
  });

  test('of a secret must be a file that others may not read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-settings-'));
    const path = join(folder, 'url');
    await writeFile(path, 'redis://:hunter2@cache');
    await chmod(path, 0o604);
    const env = { GATEHOUSE_REDIS_URL_FILE: path };
    const message = `GATEHOUSE_REDIS_URL_FILE: ${path} holds a secret, and others may read it (mode 0604). Run: chmod 600 ${path}`;
    expect(problemsOf({ env })).toEqual([message]);
    await chmod(path, 0o600);
    expect(loadConfig({ env }).redisUrl).toBe('redis://:hunter2@cache');
    await rm(folder, { recursive: true });
  });

  test('works for a setting whose own name ends in _FILE', () => {
    const env = { GATEHOUSE_CLIENTS_FILE_FILE: '/p' };
    expect(loadConfig({ env, readFile: files({ '/p': 'clients.yaml\n' }) }).clientsFile).toBe('clients.yaml');
  });

  test.each<[Record<string, string>, string]>([
    [{ GATEHOUSE_PORT: '1', GATEHOUSE_PORT_FILE: '/p' }, 'both set'],
    [{ GATEHOUSE_PORT_FILE: '/empty' }, 'is empty'],
    [{ GATEHOUSE_PORT_FILE: '/wrong' }, 'GATEHOUSE_PORT (from the file /wrong) must be'],
  ])('%j is a problem', (env, reason) => {
    const readFile = files({ '/p': '1', '/empty': '\n', '/wrong': 'x' });
    const problems = problemsOf({ env, readFile });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
  });
});

describe('names', () => {
  test.each([
    ['GATEHOUSE_DATABASE_URI', 'Did you mean GATEHOUSE_DATABASE_URL?'],
    ['GATEHOUSE_AUDIENCE_FLE', 'Did you mean GATEHOUSE_AUDIENCE_FILE?'],
    ['GATEHOUSE_COFFEE', 'Remove it'],
  ])('%s is reported as unknown', (name, advice) => {
    const problems = problemsOf({ env: { [name]: 'x' } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(advice);
  });

  test('variables for tests and of Kubernetes Services are ignored', () => {
    const env = {
      GATEHOUSE_TEST_DATABASE: 'x',
      GATEHOUSE_PORT: 'tcp://10.1.2.3:3000',
      GATEHOUSE_PORT_3000_TCP: 'tcp://10.1.2.3:3000',
      GATEHOUSE_PORT_3000_TCP_ADDR: '10.1.2.3',
      GATEHOUSE_SERVICE_HOST: '10.1.2.3',
      GATEHOUSE_SERVICE_PORT_HTTP: '3000',
      GATEHOUSE_OPS_PORT: 'tcp://10.1.2.3:9090',
      GATEHOUSE_REDIS_PORT: 'tcp://10.1.2.4:6379',
    };
    expect(loadConfig({ env })).toMatchObject({ port: 3000, opsPort: 9090 });
  });
});

describe('overrides', () => {
  test('take precedence over the environment and its files', () => {
    const env = { GATEHOUSE_PORT_FILE: '/p', GATEHOUSE_OPS_PORT: '1' };
    const overrides = { GATEHOUSE_PORT: '4000', GATEHOUSE_OPS_PORT: '4001' } as const;
    expect(loadConfig({ env, overrides, readFile: files({}) })).toMatchObject({ port: 4000, opsPort: 4001 });
  });

  test('satisfy required settings; a wrong required setting is reported once', () => {
    const env = {
      GATEHOUSE_KEYS: 'file:k',
      GATEHOUSE_DATABASE_URL: 'x',
      GATEHOUSE_CLIENTS_FILE_FILE: '/none',
    };
    const required = ['GATEHOUSE_KEYS', 'GATEHOUSE_DATABASE_URL', 'GATEHOUSE_CLIENTS_FILE'] as const;
    const problems = problemsOf({ env, required, readFile: files({}) });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('the file /none');
    expect(problems[1]).toContain('GATEHOUSE_DATABASE_URL (value not shown) must be a URL');
  });
});

test('a proof of the address at sign-up needs mail, in the same list as all other problems', () => {
  const needed = expect.stringContaining('GATEHOUSE_SIGNUP_VERIFICATION is set, but mail is off');
  const databaseUrl = { GATEHOUSE_DATABASE_URL: 'postgres://localhost/gatehouse' };
  const env = { ...databaseUrl, GATEHOUSE_SIGNUP_VERIFICATION: 'first', GATEHOUSE_PORT: 'x' };
  expect(problemsOf({ env })).toEqual([expect.stringContaining('GATEHOUSE_PORT'), needed]);
  expect(problemsOf({ env: { GATEHOUSE_SIGNUP_VERIFICATION: '7d', GATEHOUSE_MAIL: 'off' } })).toEqual([
    needed,
  ]);
  // `gatehouse dev` has the embedded database, and writes mails into a folder.
  expect(problemsOf({ env: { GATEHOUSE_SIGNUP_VERIFICATION: '7d' } })).toEqual([]);
  for (const days of ['0d', '91d', '7', 'always'])
    expect(problemsOf({ env: { GATEHOUSE_SIGNUP_VERIFICATION: days } })).toHaveLength(1);
});
