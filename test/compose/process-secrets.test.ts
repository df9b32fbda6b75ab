import { expect, test } from '@jest/globals';
import { connectionOf, createProcessSecrets, credentialOf } from '../../provider/compose/process-secrets.ts';
import { readRedisUrl } from '../../provider/lib/connection-urls.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import type { SecretChange } from '../../provider/ports/secrets.ts';
import { MemorySecrets } from '../support/memory/secrets.ts';

const reference = 'secretsmanager:db';

function open(stored: Record<string, string>) {
  const place = new MemorySecrets({ secrets: stored });
  const log: string[] = [];
  const write = (fields: object, text?: string) =>
    void log.push(`${text} ${Object.values(fields).slice(0, 1)}`);
  let report: (change: SecretChange) => void = () => {};
  const secrets = createProcessSecrets({ info: write, warn: write } as never, (given) => {
    report = given;
    return () => place;
  });
  return { place, log, secrets, report: (change: SecretChange) => report(change) };
}

const short = (text: string) => {
  if (text.length > 5) throw new ConfigurationError(['too long']);
  return text;
};

test('the first value must be usable; later the last good one stays in use and is reported once', async () => {
  const { place, log, secrets } = open({ [reference]: 'too long' });
  const read = secrets.follow(reference, short);
  await expect(read()).rejects.toThrow('too long');
  place.set(reference, 'one');
  expect(await read()).toBe('one');
  place.set(reference, 'too long again');
  expect([await read(), await read(), secrets.outdated()]).toEqual(['one', 'one', 1]);
  place.set(reference, 'two');
  expect([await read(), secrets.outdated()]).toEqual(['two', 0]);
  expect(log).toEqual([
    `secret cannot be read, keeping the last good value ${reference}`,
    `secret can be read again ${reference}`,
  ]);
});

test('a secret that its place cannot read and that cannot be used counts once', async () => {
  const { place, secrets, report } = open({ [reference]: 'one', 'file:a': 'a' });
  const read = secrets.follow(reference, short);
  await read();
  report({ state: 'outdated', reference });
  place.set(reference, 'too long');
  await read();
  expect(secrets.outdated()).toBe(1);
  report({ state: 'outdated', reference: 'file:a' });
  expect(secrets.outdated()).toBe(2);
  report({ state: 'current', reference });
  report({ state: 'current', reference: 'file:a' });
  expect(secrets.outdated()).toBe(1);
});

test('candidates are the usable values, the good one first', async () => {
  const { place, secrets } = open({ [reference]: '{"username":"app","password":"one"}' });
  const credential = credentialOf(secrets, reference);
  place.candidates = async () => ['{broken', '{"username":"app","password":"two"}'];
  expect(await credential?.candidates()).toEqual([
    { user: 'app', password: 'one' },
    { user: 'app', password: 'two' },
  ]);
  place.candidates = async () => Promise.reject(new Error('away'));
  expect(await credential?.candidates()).toEqual([{ user: 'app', password: 'one' }]);
});

test('a URL without a password has no credentials, and a URL in the setting is not read again', async () => {
  const { secrets } = open({ [reference]: 'redis://cache:6379' });
  for (const setting of [reference, 'redis://cache:6379'])
    expect(await connectionOf(secrets, setting, readRedisUrl)).toEqual({
      url: 'redis://cache:6379',
      credentials: undefined,
    });
});
