import { expect, test } from '@jest/globals';
import { readCredential } from '../../provider/lib/credentials.ts';

const rds = JSON.stringify({ engine: 'postgres', host: 'db', username: 'app', password: 'p"w', port: 5432 });

test('a whole secret in the form of RDS is a pair', () => {
  expect(readCredential('secretsmanager:db', rds)).toEqual({ user: 'app', password: 'p"w' });
  expect(readCredential('secretsmanager:db', '{"password":"p"}')).toEqual({ password: 'p' });
});

test.each([
  ['secretsmanager:db', 'a password'],
  ['secretsmanager:db#password', '{"password":"p"}'],
  ['file:/run/secrets/db', rds],
  ['env:DB', '{'],
])('%s with another text is a password', (reference, text) => {
  expect(readCredential(reference, text)).toEqual({ password: text });
});

test.each(['{"username":"app","password":', '{"username":"hunter2"}', '{"password":""}', '{"password":12}'])(
  'an object without a password causes an error without the secret: %s',
  (text) => {
    const read = () => readCredential('secretsmanager:db', text);
    expect(read).toThrow(/^The secret secretsmanager:db can't be used: .*RDS/);
    expect(read).not.toThrow(/hunter2/);
  },
);
