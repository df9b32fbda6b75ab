import { describe, expect, test } from '@jest/globals';
import type { PasswordBlocklist } from '../../provider/ports/password-blocklist.ts';
import { useFixture } from './fixture.ts';

export interface PasswordBlocklistFixture {
  /** Has `knownPasswords` and nothing else. */
  list: PasswordBlocklist;
  /** Makes the list unreachable. */
  spoil(): Promise<void> | void;
  /** All that the list logged. */
  logged(): string;
  close(): Promise<void>;
}

export const knownPasswords = ['correct horse battery', 'pässword with umlaut', 'P4ssw0rd of ours', '🔑🔒🗝'];

/** What every implementation of the port does. */
export function passwordBlocklistContract(name: string, open: () => Promise<PasswordBlocklistFixture>): void {
  describe(`password blocklist: ${name}`, () => {
    const fixture = useFixture(open);

    test.each(knownPasswords)('has %j', async (password) => {
      expect(await fixture().list.has(password)).toBe(true);
    });

    test.each([
      'correct horse',
      'correct horse battery ',
      'Correct horse battery',
      'passWord with umlaut',
      '',
    ])('does not have %j: it compares the whole password as it is', async (password) => {
      expect(await fixture().list.has(password)).toBe(false);
    });

    test('that cannot be asked gives false and logs a warning without the password', async () => {
      const { list, spoil, logged } = fixture();
      await spoil();
      expect(await list.has('correct horse battery')).toBe(false);
      expect(logged()).not.toBe('');
      expect(logged()).not.toContain('horse');
    });
  });
}

/** A logger that keeps what it gets. */
export function keptWarnings() {
  const lines: string[] = [];
  const logger = {
    warn: (fields: object, message: string) => {
      const { err, ...others } = fields as { err?: Error };
      lines.push([message, err?.stack ?? '', JSON.stringify(others)].join(' '));
    },
  };
  return { logger, logged: () => lines.join('\n') };
}
