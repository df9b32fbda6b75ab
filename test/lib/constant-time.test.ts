import * as crypto from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { webClient } from '../clients/client-documents.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemorySecrets } from '../support/memory/secrets.ts';

/** The lengths of the values that were compared. */
const compared: [number, number][] = [];
jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  timingSafeEqual: (one: Uint8Array, other: Uint8Array) => {
    compared.push([one.length, other.length]);
    return crypto.timingSafeEqual(one, other);
  },
}));
const { createServerKeys } = await import('../../provider/lib/server-keys.ts');
const { createClientSecretCheck } = await import('../../provider/clients/client-secrets.ts');
const { clientDocumentSchema } = await import('../../provider/clients/client-document.ts');
const { matchesForeignHash } = await import('../../provider/accounts/import/foreign-hash.ts');
const { readForeignHash } = await import('../../provider/accounts/import/foreign-hash-formats.ts');

/** What `check` gives, and the lengths that were compared meanwhile. */
async function comparisonsOf(check: () => boolean | Promise<boolean>) {
  compared.splice(0);
  return { equal: await check(), compared: compared.splice(0) };
}

test('tags of forms and cookies are compared in constant time', async () => {
  const keys = createServerKeys(['1'.repeat(43)]);
  const tag = keys.tag('form', 'a');
  for (const [value, equal] of [
    ['a', true],
    ['b', false],
  ] as const)
    expect(await comparisonsOf(() => keys.checkTag('form', value, tag))).toEqual({
      equal,
      compared: [[16, 16]],
    });
});

test('client secrets are compared in constant time, each with all secrets of the client', async () => {
  const secrets = new MemorySecrets({ secrets: { 'env:A': 'one', 'env:B': 'two' } });
  const check = createClientSecretCheck({ secrets, clock: createManualClock() });
  const document = clientDocumentSchema.parse(webClient({ secrets: [{ ref: 'env:A' }, { ref: 'env:B' }] }));
  const clients = [{ origin: 'test', document }];
  check.use(clients, (await check.resolve(clients)).digests);
  const both = [
    [32, 32],
    [32, 32],
  ];
  for (const [secret, equal] of [
    ['one', true],
    ['two', true],
    ['a much longer text than any secret of this client', false],
  ] as const)
    expect(await comparisonsOf(() => check.matches('web', secret))).toEqual({ equal, compared: both });
});

test.each(['$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$', '$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$'])(
  'imported hashes like %s are compared in constant time',
  async (start) => {
    const stored = readForeignHash(`${start}${Buffer.alloc(32).toString('base64')}`);
    if (!('scheme' in stored)) throw new Error(stored.problem);
    expect(await comparisonsOf(() => matchesForeignHash(Buffer.from('wrong'), stored))).toEqual({
      equal: false,
      compared: [[32, 32]],
    });
  },
);
