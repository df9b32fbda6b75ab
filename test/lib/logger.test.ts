import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { createLogger, type LogLevel, redactFields } from '../../provider/lib/logger.ts';

function recorder(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => lines.push(line) } });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') };
}

const secret = 's3cr3t-Value_0123456789';

describe('a log line', () => {
  test('is JSON with time, level, service, fields and message', () => {
    const { logger, lines, last } = recorder();
    logger.warn({ route: '/x', count: 3 }, 'slow answer');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\}\n$/);
    expect(last()).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'gatehouse',
      route: '/x',
      count: 3,
      msg: 'slow answer',
    });
  });

  test('is not written below the level', () => {
    const { logger, lines } = recorder('warn');
    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.error({}, 'c');
    expect(lines).toHaveLength(1);
  });

  test('of a child logger has the fields of the child, also redacted', () => {
    const { logger, last } = recorder();
    logger.child({ requestId: 'r1', cookie: secret }).child({ route: '/x' }).info({ n: 1 }, 'm');
    expect(last()).toMatchObject({ requestId: 'r1', route: '/x', n: 1, cookie: '[redacted]' });
  });

  test('a line break in any part of it does not begin another line', () => {
    const { logger, lines } = recorder();
    const forged = 'x\n{"level":"error","msg":"forged"}\r\nforged \u001b[31m';
    const error = Object.assign(new Error(forged), { name: forged });
    error.stack = forged;
    logger.info({ text: forged, [forged]: 1, list: [forged], deep: { [forged]: forged }, error }, forged);
    logger.child({ part: forged, [forged]: forged }).warn({}, forged);
    const written = lines.join('').split('\n');
    expect(written).toEqual([expect.any(String), expect.any(String), '']);
    expect(written.join('')).not.toMatch(/\p{Cc}/u);
    expect(written.slice(0, 2).map((line) => JSON.parse(line).level)).toEqual(['info', 'warn']);
  });

  test('keeps percent signs and line breaks of a message', () => {
    const { logger, lines, last } = recorder();
    logger.info({}, '100 %s\n{"level":"error"}');
    expect(lines).toHaveLength(1);
    expect(last().msg).toBe('100 %s\n{"level":"error"}');
  });
});

describe('a secret field', () => {
  const names = `password newPassword secret clientSecret client_secret client-secret authorization Authorization
    proxy-authorization cookie set-cookie Set-Cookie token accessToken access_token refreshToken refresh_token idToken
    id_token id_token_hint code code_verifier codeVerifier user_code device_code assertion client_assertion jwt
    privateKey private_key d p q dp dq qi k jwk jwks hash passwordHash password_hash currentHash lookupHashes secrets
    payload dpop DPoP databaseUrl redisUrl request_uri registration_access_token x-api-token previousSecrets cookies`;

  test.each(names.split(/\s+/))('%s is hidden at every depth', (name) => {
    const { logger, lines } = recorder();
    const holder = { [name]: secret };
    logger.info({ ...holder, a: holder, b: [{ c: [holder] }], d2: { e: { f: { g: holder } } } }, 'm');
    logger.info({ headers: { [name]: { inner: secret } } }, 'm');
    logger.info({ map: new Map([[name, secret]]) }, 'm');
    expect(lines.join('')).not.toContain(secret);
    expect(lines[0]?.match(/\[redacted\]/g)).toHaveLength(4);
  });

  test.each(['clientId', 'accountId', 'errorCode', 'path', 'keyId', 'kid', 'description', 'queue'])(
    '%s is shown',
    (name) => {
      const { logger, last } = recorder();
      logger.info({ [name]: 'v' }, 'm');
      expect(last()[name]).toBe('v');
    },
  );
});

describe('a text', () => {
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${'e'.repeat(40)}.${secret}`;
  test.each([
    [`https://x.example/cb?code=${secret}&state=1`, 'https://x.example/cb'],
    [`https://x.example/cb#access_token=${secret}`, 'https://x.example/cb'],
    [`https://me:${secret}@x.example/a`, 'https://[redacted]@x.example/a'],
    ['https://x.example/@me/a', 'https://x.example/@me/a'],
    [`/oauth2/authorize?login_hint=${secret}`, '/oauth2/authorize'],
    [
      `connect to postgres://me:${secret}@db:5432/g failed`,
      'connect to postgres://[redacted]@db:5432/g failed',
    ],
    [`postgres://me:p@ss/${secret}@db/g`, 'postgres://[redacted]@db/g'],
    [`postgres://db/g?password=${secret}`, 'postgres://db/g'],
    [`rediss://:${secret}@cache:6379`, 'rediss://[redacted]@cache:6379'],
    [`host=db password=${secret} user=me`, 'host=db password=[redacted] user=me'],
    [`got ${jwt} here`, 'got [redacted] here'],
    [`Authorization: Bearer ${secret}`, 'Authorization: Bearer [redacted]'],
    [`basic ${secret}`, 'basic [redacted]'],
    [`hash $argon2id$v=19$m=1,t=1,p=1$${secret} bad`, 'hash [redacted] bad'],
    [`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`, '[redacted]'],
    ['really? yes', 'really? yes'],
  ])('%j is redacted, as a field and as the message', (text, clean) => {
    const { logger, last } = recorder();
    logger.info({ text, list: [text], url: { deep: text } }, text);
    expect(last()).toMatchObject({ text: clean, list: [clean], url: { deep: clean }, msg: clean });
  });

  test('is truncated in a short time', () => {
    const { logger, lines } = recorder();
    for (const bait of [
      'eyJ',
      'a://',
      '?a',
      'Bearer ',
      '-----BEGIN ',
      '$2a$',
      'a-',
      'A',
      'password=',
      'x@',
    ]) {
      logger.info({ bait: bait.repeat(300_000 / bait.length) }, 'm');
    }
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
  });

  test('is redacted before it is truncated, so no part of a secret remains', () => {
    const { logger, lines } = recorder();
    logger.info({ text: `${'x'.repeat(8170)} postgres://me:${secret}@db/g` }, 'm');
    expect(lines[0]).not.toContain('s3cr');
  });
});

describe('an error', () => {
  test('has type, message, code, stack and causes, all redacted', () => {
    const { logger, lines, last } = recorder();
    const cause = Object.assign(new TypeError(`no answer from redis://:${secret}@cache`), {
      code: 'ECONNREFUSED',
    });
    logger.error({ err: new Error(`failed at /cb?code=${secret}`, { cause }) }, 'm');
    expect(last().err).toEqual({
      type: 'Error',
      message: 'failed at /cb',
      stack: expect.stringMatching(/^Error: failed at \/cb\n\s+at /),
      cause: {
        type: 'TypeError',
        message: 'no answer from redis://[redacted]@cache',
        code: 'ECONNREFUSED',
        stack: expect.stringContaining('at '),
      },
    });
    expect(lines[0]).not.toContain(secret);
  });

  test('is recognised under any field name and depth', () => {
    const { logger, last } = recorder();
    logger.error({ error: new Error('a'), results: [{ reason: new Error('b') }] }, 'm');
    expect(last()).toMatchObject({ error: { message: 'a' }, results: [{ reason: { message: 'b' } }] });
  });

  test('of Node itself is logged like any other', async () => {
    const { logger, last } = recorder();
    const error = await readFile('/no/such/file').catch((reason: unknown) => reason);
    logger.error({ error }, 'm');
    expect(last().error).toMatchObject({ code: 'ENOENT', message: expect.stringContaining('no such file') });
  });

  test('with several errors contains each', () => {
    const { logger, last } = recorder();
    logger.error({ err: new AggregateError([new Error('one'), new Error('two')], '') }, 'm');
    expect(last().err.errors).toMatchObject([{ message: 'one' }, { message: 'two' }]);
  });

  test('has no code that is not an error name; a cause that is not an error is redacted', () => {
    const { logger, lines } = recorder();
    const odd = Object.assign(new Error('m', { cause: { token: secret } }), { code: `${secret}-${secret}` });
    logger.error({ odd }, 'm');
    expect(lines[0]).not.toContain(secret);
  });

  test('with a cyclic chain of causes ends', () => {
    const { logger, lines } = recorder();
    const error = new Error('loop');
    error.cause = error;
    logger.error({ error }, 'm');
    expect(lines[0]?.match(/"type":"Error"/g)).toHaveLength(6);
  });
});

describe('other values', () => {
  test('are written as text or unchanged', () => {
    const { logger, last } = recorder();
    logger.info(
      {
        at: new Date(0),
        url: new URL('https://a.example/?x=1'),
        big: 12n,
        bytes: Buffer.from('abc'),
        none: null,
      },
      'm',
    );
    expect(last()).toMatchObject({
      at: '1970-01-01T00:00:00.000Z',
      url: 'https://a.example/',
      big: '12',
      bytes: '[3 bytes]',
      none: null,
    });
  });

  test('of a field that would set a prototype are left out', () => {
    const copy = redactFields(JSON.parse('{"a":1,"__proto__":{"b":2}}'));
    expect(copy).toEqual({ a: 1 });
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test('with cycles end', () => {
    const { logger, lines } = recorder();
    const ring: Record<string, unknown> = {};
    ring.ring = ring;
    logger.info({ ring }, 'm');
    expect(lines[0]).toContain('[too deep]');
    expect(lines[0]?.match(/"ring"/g)?.length).toBeLessThan(8);
  });
});
