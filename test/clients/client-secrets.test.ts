import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type ClientSecretCheck, createClientSecretCheck } from '../../provider/clients/client-secrets.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { MemorySecrets } from '../support/memory/secrets.ts';
import { documentOf, publicClient, secretHash, webClient } from './client-documents.ts';

describe('createClientSecretCheck', () => {
  let secrets: MemorySecrets;
  let clock: ManualClock;
  let check: ClientSecretCheck;

  beforeEach(() => {
    secrets = new MemorySecrets({ secrets: { 'env:A': 'secret of A', 'env:B': 'secret of B' } });
    clock = createManualClock(Date.UTC(2029, 11, 31));
    check = createClientSecretCheck({ secrets, clock });
  });

  const clientWith = (...list: unknown[]) => [
    { origin: 'test:1', document: documentOf(webClient({ secrets: list })) },
  ];
  const use = async (clients: ReturnType<typeof clientWith>) => {
    const resolved = await check.resolve(clients);
    check.use(clients, resolved.digests);
    return resolved;
  };

  test.each([
    ['hex', { sha256: secretHash }],
    ['upper-case hex', { sha256: secretHash.toUpperCase() }],
    ['base64url', { sha256: createHash('sha256').update('a-secret').digest('base64url') }],
  ])('matches a secret by its hash in %s', async (_, secret) => {
    await use(clientWith(secret));
    expect(check.matches('web', 'a-secret')).toBe(true);
    for (const wrong of ['a-secreu', 'a-secret ', '', secretHash]) {
      expect(check.matches('web', wrong)).toBe(false);
    }
  });

  test('matches each of two secrets, and only for their client', async () => {
    await use(clientWith({ ref: 'env:A' }, { ref: 'env:B' }));
    expect(check.matches('web', 'secret of A')).toBe(true);
    expect(check.matches('web', 'secret of B')).toBe(true);
    expect(check.matches('other', 'secret of A')).toBe(false);
  });

  test('matches nothing for a public client', async () => {
    await use([{ origin: 'test:1', document: documentOf(publicClient()) }]);
    expect(check.matches('web', '')).toBe(false);
  });

  test('forgets a secret at the moment it expires, and not before', async () => {
    await use(clientWith({ ref: 'env:A', notAfter: '2030-01-01T01:00:00+01:00' }, { ref: 'env:B' }));
    clock.set(Date.UTC(2030, 0, 1) - 1);
    expect(check.matches('web', 'secret of A')).toBe(true);
    clock.advance(1);
    expect(check.matches('web', 'secret of A')).toBe(false);
    expect(check.matches('web', 'secret of B')).toBe(true);
  });

  test('uses the new value of a replaced secret', async () => {
    const clients = clientWith({ ref: 'env:A' });
    await use(clients);
    secrets.set('env:A', 'new secret of A');
    await use(clients);
    expect(check.matches('web', 'secret of A')).toBe(false);
    expect(check.matches('web', 'new secret of A')).toBe(true);
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
  ])('reports a secret that is %s at the start', async (_, value) => {
    if (value !== undefined) secrets.set('env:NEW', value);
    const { missing, outdated } = await check.resolve(clientWith({ ref: 'env:A' }, { ref: 'env:NEW' }));
    expect(missing).toMatchObject([{ origin: 'test:1', clientId: 'web', path: '/secrets/1/ref' }]);
    expect(missing[0]?.message).toMatch(/^can't be read: .*env:NEW/);
    expect(outdated).toEqual([]);
  });

  test('keeps the last value of a secret that became unreadable', async () => {
    const clients = clientWith({ ref: 'env:A' });
    await use(clients);
    secrets.set('env:A', '');
    const { missing, outdated } = await use(clients);
    expect(missing).toEqual([]);
    expect(outdated).toHaveLength(1);
    expect(check.matches('web', 'secret of A')).toBe(true);
    expect(check.matches('web', '')).toBe(false);
  });

  test('forgets a secret when no document refers to it any more', async () => {
    await use(clientWith({ ref: 'env:A' }));
    await use(clientWith({ ref: 'env:B' }));
    expect(check.matches('web', 'secret of A')).toBe(false);
    secrets.set('env:A', '');
    expect((await check.resolve(clientWith({ ref: 'env:A' }))).missing).toHaveLength(1);
  });

  test('reads a reference once if several clients use it', async () => {
    let reads = 0;
    const counting = {
      resolve: async () => {
        reads += 1;
        return `value ${reads}`;
      },
    };
    const [client] = clientWith({ ref: 'env:A' });
    await createClientSecretCheck({ secrets: counting, clock }).resolve(
      [client, client].flatMap((c) => c ?? []),
    );
    expect(reads).toBe(1);
  });
});
