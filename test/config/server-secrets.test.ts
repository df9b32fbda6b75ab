import { describe, expect, test } from '@jest/globals';
import { parseServerSecrets } from '../../provider/config/server-secrets.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';

const [one, two] = ['1'.repeat(32), '2'.repeat(32)];

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

  test('that are too short are reported by position, without their text', () => {
    expect(() => parseServerSecrets(`${one} hunter2`)).toThrow(
      /^GATEHOUSE_SERVER_SECRETS: secret 2 of 2 has fewer than 32 characters\. ((?!hunter2).)*$/,
    );
  });
});
