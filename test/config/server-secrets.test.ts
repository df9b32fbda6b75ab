import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseServerSecrets } from '../../provider/config/server-secrets.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { testServerSecret } from '../support/secrets.ts';

const [one, two] = [testServerSecret, '9f86d081884c7d659a2feaa0c55ad015'];

describe('server secrets', () => {
  test.each([`${one}`, `${one}\n`])('can be one secret: %j', (text) => {
    expect(parseServerSecrets(text)).toEqual([one]);
  });

  test.each([`${one} ${two}`, `${one},${two}`, `\n${one}\n${two}\n`, `${one}, ${two}`])(
    'can be several secrets: %j',
    (text) => {
      expect(parseServerSecrets(text)).toEqual([one, two]);
      expect(createServerKeys(parseServerSecrets(text)).cookieKeys()).toHaveLength(2);
    },
  );

  test.each([
    ['', 'without text'],
    [' ,\n', 'without text'],
    [`${one} ${one}`, 'twice'],
  ])('are refused: %j', (text, reason) => {
    expect(() => parseServerSecrets(text)).toThrow(reason);
  });

  test.each([
    ['a'.repeat(32), 'has only 1 different characters'],
    ['abcdefg'.repeat(8).slice(3), 'has only 7 different characters'],
    ['0123456789abcdef0123456789abcdef', 'repeats itself'],
    ['correct-horse-battery-correct-horse-battery-corr', 'repeats itself'],
    ['abcdefghijklmnopqrstuvwxyz0123456789', 'is a sequence of characters'],
    ['zyxwvutsrqponmlkjihgfedcba9876543210', 'is a sequence of characters'],
  ])('that are long but easy to guess are refused, without their text: %s', (weak, reason) => {
    const read = () => parseServerSecrets(`${one} ${weak}`);
    expect(read).toThrow(`GATEHOUSE_SERVER_SECRETS: secret 2 of 2 ${reason}. Make one with: openssl`);
    expect(read).not.toThrow(weak);
  });

  test('are accepted if they are random: in hex, in Base64, or as digits', () => {
    const digits = () => Array.from({ length: 80 }, () => randomInt(10)).join('');
    for (let round = 0; round < 1000; round += 1) {
      const made = [randomBytes(16).toString('hex'), randomBytes(24).toString('base64'), digits()];
      expect(parseServerSecrets(made.join('\n'))).toEqual(made);
    }
  });

  test('that are too short are reported by position, without their text', () => {
    expect(() => parseServerSecrets(`${one} hunter2`)).toThrow(
      /^GATEHOUSE_SERVER_SECRETS: secret 2 of 2 has fewer than 32 characters\. ((?!hunter2).)*$/,
    );
  });
});
