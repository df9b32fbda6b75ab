import { describe, expect, test } from '@jest/globals';
import type { Schema } from '../../provider/ports/schema.ts';
import { useFixture } from './fixture.ts';

export interface SchemaFixture {
  /** The schema of an empty database. */
  schema: Schema;
  /** Another one over the same database, with its own pool if possible. */
  another(): Promise<Schema>;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/schema.ts` on what `open` gives. */
export function schemaContract(name: string, open: () => Promise<SchemaFixture>): void {
  describe(`${name} keeps the contract of Schema`, () => {
    const fixture = useFixture(open, 'test');

    test('in an empty database all migrations are pending, and a look-up changes nothing', async () => {
      const { schema } = fixture();
      const names = await schema.pending();
      expect(names.length).toBeGreaterThan(0);
      expect(names).toEqual([...names].sort());
      expect(await schema.pending()).toEqual(names);
    });

    test('migrate applies missing migrations in order, and a second run applies nothing', async () => {
      const { schema } = fixture();
      const names = await schema.pending();
      expect(await schema.migrate()).toEqual(names);
      expect(await schema.pending()).toEqual([]);
      expect(await schema.migrate()).toEqual([]);
      expect(await (await fixture().another()).pending()).toEqual([]);
    });

    test('20 parallel calls apply each migration once, and all resolve', async () => {
      const names = await fixture().schema.pending();
      const schemas = await Promise.all(Array.from({ length: 20 }, () => fixture().another()));
      const applied = await Promise.all(schemas.map((schema) => schema.migrate()));
      expect(applied.flat().sort()).toEqual(names);
      for (const schema of schemas) expect(await schema.pending()).toEqual([]);
    });
  });
}
