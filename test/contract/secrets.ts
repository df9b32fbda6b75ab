import { describe, expect, test } from '@jest/globals';
import type { Secrets } from '../../provider/ports/secrets.ts';
import { useFixture } from './fixture.ts';

export interface SecretsFixture {
  secrets: Secrets;
  /** Gives the reference of a new secret with this text. */
  create(text: string): Promise<string>;
  /** Replaces the text of a secret. */
  replace(reference: string, text: string): Promise<void>;
  /** The reference of a secret that doesn't exist. */
  missing: string;
  /** Lets so much time pass that no cache may answer from before. */
  afterCache(): Promise<void> | void;
  close(): Promise<void>;
}

/** What every implementation of the port does. */
export function secretsContract(name: string, open: () => Promise<SecretsFixture>): void {
  describe(`secrets: ${name}`, () => {
    const fixture = useFixture(open);

    test.each([
      ['pass word\n', 'pass word'],
      ['pass word\r\n', 'pass word'],
      [' a\n\n', ' a\n'],
      ['{"a":1}', '{"a":1}'],
      ['ü€𝄞', 'ü€𝄞'],
    ])('%j is read without one line break at the end, and otherwise unchanged', async (written, read) => {
      const { secrets, create } = fixture();
      const reference = await create(written);
      expect(await secrets.resolve(reference)).toBe(read);
      expect(await secrets.candidates(reference)).toEqual([read]);
    });

    test('an empty secret causes an error with its reference', async () => {
      const { secrets, create } = fixture();
      const reference = await create('\n');
      await expect(secrets.resolve(reference)).rejects.toThrow(`${reference} is empty`);
      await expect(secrets.candidates(reference)).rejects.toThrow(`${reference} is empty`);
    });

    test('a missing secret causes an error with its reference', async () => {
      const { secrets, missing } = fixture();
      await expect(secrets.resolve(missing)).rejects.toThrow(`The secret ${missing} can't be read`);
      await expect(secrets.candidates(missing)).rejects.toThrow(`The secret ${missing} can't be read`);
    });

    test('a text that is no reference causes an error that does not repeat it', async () => {
      const { secrets } = fixture();
      for (const text of ['hunter2', 'vault:hunter2', 'secretsmanager:#hunter2']) {
        await expect(secrets.resolve(text)).rejects.toThrow('A secret is named by file:/path');
        await expect(secrets.resolve(text)).rejects.not.toThrow('hunter2');
      }
    });

    test('a replaced secret is found past the cache at once, and by every reader later', async () => {
      const { secrets, create, replace, afterCache } = fixture();
      const reference = await create('old');
      expect(await secrets.resolve(reference)).toBe('old');
      await replace(reference, 'new');
      expect((await secrets.candidates(reference))[0]).toBe('new');
      await replace(reference, 'newer');
      await afterCache();
      expect(await secrets.resolve(reference)).toBe('newer');
    });

    test('parallel calls all get the secret', async () => {
      const { secrets, create } = fixture();
      const reference = await create('one');
      const calls = Array.from({ length: 20 }, () => secrets.resolve(reference));
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['one']));
    });
  });
}
