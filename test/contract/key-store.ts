import { describe, expect, test } from '@jest/globals';
import type { KeyStore } from '../../provider/ports/key-store.ts';
import { useFixture } from './fixture.ts';

export interface KeyStoreFixture {
  /** Creates a new, empty store that several parties can open. */
  newPlace(): Promise<{ connect(): KeyStore }>;
  close(): Promise<void>;
}

const value = (name: string) => `${JSON.stringify({ name, padding: 'x'.repeat(20_000) })}\n`;

/** Checks every sentence of `provider/ports/key-store.ts` on the stores that `open` gives. */
export function keyStoreContract(name: string, open: () => Promise<KeyStoreFixture>): void {
  describe(`${name} keeps the contract of KeyStore`, () => {
    const fixture = useFixture(open);

    /** Returns a place that holds a first value, and the version of that value. */
    const filledPlace = async () => {
      const place = await fixture().newPlace();
      await place.connect().save(value('first'), undefined);
      const version = (await place.connect().load())?.version ?? '';
      return { ...place, version };
    };

    test('returns undefined if there is no value', async () => {
      const { connect } = await fixture().newPlace();
      expect(await connect().load()).toBeUndefined();
    });

    test('returns the saved value to all readers', async () => {
      const { connect } = await fixture().newPlace();
      expect(await connect().save(value('first'), undefined)).toBe(true);
      expect((await connect().load())?.value).toBe(value('first'));
    });

    test('returns the same version until the value changes, then another version', async () => {
      const { connect, version } = await filledPlace();
      expect((await connect().load())?.version).toBe(version);
      expect(await connect().save(value('second'), version)).toBe(true);
      const second = await connect().load();
      expect(second?.value).toBe(value('second'));
      expect(second?.version).not.toBe(version);
    });

    test('refuses a first value if a value exists', async () => {
      const { connect } = await filledPlace();
      expect(await connect().save(value('other'), undefined)).toBe(false);
      expect((await connect().load())?.value).toBe(value('first'));
    });

    test('changes nothing if the expected version is outdated', async () => {
      const { connect, version } = await filledPlace();
      await connect().save(value('second'), version);
      expect(await connect().save(value('third'), version)).toBe(false);
      expect((await connect().load())?.value).toBe(value('second'));
    });

    test('changes nothing if a version is expected and no value exists', async () => {
      const { version } = await filledPlace();
      const { connect } = await fixture().newPlace();
      expect(await connect().save(value('second'), version)).toBe(false);
      expect(await connect().load()).toBeUndefined();
    });

    const race = async (connect: () => KeyStore, expected: string | undefined) => {
      const names = Array.from({ length: 20 }, (_, index) => `racer ${index}`);
      const saved = await Promise.all(
        names.map(async (racer) => ((await connect().save(value(racer), expected)) ? racer : undefined)),
      );
      const winners = saved.filter((racer) => racer !== undefined);
      expect(winners).toHaveLength(1);
      expect((await connect().load())?.value).toBe(value(winners[0] ?? ''));
    };

    test('accepts exactly one of parallel first saves', async () => {
      const { connect } = await fixture().newPlace();
      await race(connect, undefined);
    });

    test('accepts exactly one of parallel saves with the same expected version', async () => {
      const { connect, version } = await filledPlace();
      await race(connect, version);
    });

    test('loses no update of parallel callers that read, change and save until they succeed', async () => {
      const { connect } = await fixture().newPlace();
      await connect().save('[]', undefined);
      const add = async (item: number): Promise<void> => {
        for (;;) {
          const stored = await connect().load();
          const items = [...JSON.parse(stored?.value ?? '[]'), item];
          if (await connect().save(JSON.stringify(items), stored?.version)) return;
        }
      };
      await Promise.all([1, 2, 3, 4, 5].map(add));
      expect(JSON.parse((await connect().load())?.value ?? '[]').sort()).toEqual([1, 2, 3, 4, 5]);
    });

    test('never returns an incomplete value', async () => {
      const { connect } = await filledPlace();
      let writing = true;
      const write = async () => {
        for (let turn = 0; turn < 20; turn += 1) {
          const version = (await connect().load())?.version;
          await connect().save(value(`turn ${turn}`), version);
        }
        writing = false;
      };
      const seen: string[] = [];
      const read = async () => {
        while (writing) seen.push((await connect().load())?.value ?? '');
      };
      await Promise.all([write(), read()]);
      expect(seen.length).toBeGreaterThan(0);
      for (const text of seen) expect(value(JSON.parse(text).name)).toBe(text);
    });
  });
}
