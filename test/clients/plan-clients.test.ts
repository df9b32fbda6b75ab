import { describe, expect, test } from '@jest/globals';
import { describeFieldChange, fieldChanges } from '../../provider/clients/describe-change.ts';
import { type PlanInput, planClients, type WantedClient } from '../../provider/clients/plan-clients.ts';
import { keptSecrets } from '../../provider/clients/stored-secrets.ts';
import type { ClientOwner, StoredClient, StoredClientSecret } from '../../provider/ports/client-store.ts';

const now = Date.UTC(2026, 0, 1);
const iso = (hours: number) => new Date(now + hours * 3_600_000).toISOString();
const owner: ClientOwner = { source: 'commands', name: 'default' };
const other: ClientOwner = { source: 'kubernetes', name: 'shop/web' };
const secret = (sha256: string, hours?: number): StoredClientSecret =>
  hours === undefined ? { sha256 } : { sha256, notAfter: iso(hours) };

const document = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  name: id,
  auth: 'none',
  ...more,
});
const stored = (id: string, more: Partial<StoredClient> = {}): StoredClient => ({
  id,
  owner,
  document: document(id),
  secrets: [],
  revision: '1',
  updatedAt: now,
  ...more,
});
const wanted = (id: string, more: Record<string, unknown> = {}): WantedClient => ({
  id,
  document: document(id, more),
});
const plan = (input: Partial<PlanInput>) =>
  planClients({ owner, wanted: [], stored: [], prune: false, fileIds: new Set(), now, ...input });
const actions = (input: Partial<PlanInput>) =>
  plan(input).changes.map(({ id, action, ends }) => `${action} ${id}${ends ? ', ends' : ''}`);

describe('planClients', () => {
  test('creates and updates what differs, and leaves the rest alone', () => {
    const input = {
      wanted: [wanted('new'), wanted('changed', { name: 'New' }), wanted('same')],
      stored: [stored('changed'), stored('same'), stored('extra')],
    };
    expect(actions(input)).toEqual(['create new', 'update changed']);
    expect(plan(input).unchanged).toEqual(['same']);
  });

  test('the order of members is no difference, but that of a list is', () => {
    const one = stored('web', { document: { id: 'web', scopes: ['a', 'b'], jwks: { a: 1, b: 2 } } });
    const same = {
      id: 'web',
      document: { jwks: { b: 2, a: 1 }, scopes: ['a', 'b'], id: 'web' },
      secrets: [],
    };
    expect(actions({ wanted: [same], stored: [one] })).toEqual([]);
    const turned = { ...same, document: { ...same.document, scopes: ['b', 'a'] } };
    expect(actions({ wanted: [turned], stored: [one] })).toEqual(['update web']);
  });

  test('deletes only clients of the owner, and only with prune', () => {
    const input = {
      wanted: [wanted('kept')],
      stored: [stored('kept'), stored('extra'), stored('ns', { owner: other })],
    };
    expect(actions(input)).toEqual([]);
    expect(actions({ ...input, prune: true })).toEqual(['delete extra, ends']);
  });

  test('names every client that belongs to another owner or to a file', () => {
    const { conflicts, changes } = plan({
      wanted: [wanted('theirs', { name: 'X' }), wanted('in-file'), wanted('both'), wanted('mine')],
      stored: [stored('theirs', { owner: other }), stored('both', { owner: other })],
      fileIds: new Set(['in-file', 'both']),
    });
    expect(conflicts).toEqual([
      { id: 'theirs', by: other },
      { id: 'in-file', by: 'file' },
      { id: 'both', by: other },
    ]);
    expect(changes.map(({ id }) => id)).not.toContain('theirs');
  });

  test('a client that is disabled ends, once', () => {
    const disabled = stored('web', { document: document('web', { enabled: false }) });
    expect(actions({ wanted: [wanted('web', { enabled: false })], stored: [stored('web')] })).toEqual([
      'update web, ends',
    ]);
    const renamed = wanted('web', { enabled: false, name: 'New' });
    expect(actions({ wanted: [renamed], stored: [disabled] })).toEqual(['update web']);
    expect(actions({ wanted: [wanted('web')], stored: [disabled] })).toEqual(['update web']);
    expect(actions({ wanted: [wanted('web', { enabled: false })] })).toEqual(['create web']);
  });

  test('secrets that the owner keeps are stored as they are given', () => {
    const document = { id: 'web', name: 'Web' };
    const given = [secret('new'), secret('old', 1)];
    const [change] = plan({ wanted: [{ id: 'web', document, secrets: given }] }).changes;
    expect(change).toMatchObject({ needsSecret: false, client: { secrets: given } });
    const same = stored('web', { document, secrets: given });
    expect(actions({ wanted: [{ id: 'web', document, secrets: given }], stored: [same] })).toEqual([]);
  });
});

describe('the secrets beside a document', () => {
  const generated = { id: 'web' };
  const named = { id: 'web', secrets: [{ ref: 'env:A' }] };
  const twice = { id: 'web', secrets: [{ ref: 'env:A' }, { ref: 'env:B' }] };
  test.each<[string, Record<string, unknown>, StoredClientSecret[], StoredClientSecret[], boolean]>([
    ['a new client gets one', generated, [], [], true],
    ['a client that has one keeps it', generated, [secret('a')], [secret('a')], false],
    ['two are kept', generated, [secret('a'), secret('b')], [secret('a'), secret('b')], false],
    [
      'an expired one stays stored',
      generated,
      [secret('a', -1), secret('b')],
      [secret('a', -1), secret('b')],
      false,
    ],
    ['one that ends gets a successor', generated, [secret('a', 1)], [secret('a', 1)], true],
    ['only expired ones: a new one', generated, [secret('a', -1)], [], true],
    ['a public client keeps none', { id: 'web', auth: 'none' }, [secret('a')], [], false],
    ['a client with a key keeps none', { id: 'web', auth: 'private_key_jwt' }, [secret('a')], [], false],
    ['a document with a secret: a day for the stored one', named, [secret('a')], [secret('a', 24)], false],
    ['an end that is nearer stays', named, [secret('a', 3)], [secret('a', 3)], false],
    ['only the newest has room', named, [secret('a'), secret('b')], [secret('b', 24)], false],
    ['a document with two secrets leaves no room', twice, [secret('a', 3)], [], false],
    ['nothing stored', named, [], [], false],
  ])('%s', (_, document, current, secrets, needsNew) => {
    expect(keptSecrets(document, current, now)).toEqual({ secrets, needsNew });
    // A second pass changes nothing.
    if (!needsNew) expect(keptSecrets(document, secrets, now)).toEqual({ secrets, needsNew });
  });
});

describe('the description of a change', () => {
  const lines = (before: Record<string, unknown>, after: Record<string, unknown>) =>
    fieldChanges(before, after).flatMap(describeFieldChange);

  test('names each field with both values, and the items of a list', () => {
    expect(
      lines(
        { name: 'Old', scopes: ['openid', 'email'], graceSeconds: 5, jwks: { keys: [] } },
        { name: 'New', scopes: ['openid', 'profile'], pkce: 'optional', jwks: { keys: [] } },
      ),
    ).toEqual([
      'name: "Old" → "New"',
      'scopes: + "profile"',
      'scopes: - "email"',
      'pkce: not set → "optional"',
      'graceSeconds: 5 → not set',
    ]);
    expect(lines({ scopes: ['a', 'b'] }, { scopes: ['b', 'a'] })).toEqual(['scopes: ["a","b"] → ["b","a"]']);
  });

  test('never contains a digest', () => {
    const [one, two] = ['a'.repeat(64), 'b'.repeat(64)];
    const changes = [
      lines({}, { secrets: [{ sha256: one }, { ref: 'env:A', notAfter: iso(1) }] }),
      lines({ secrets: [{ sha256: one }] }, { secrets: [{ sha256: two }] }),
      lines({ secrets: [{ sha256: one }] }, {}),
    ];
    expect(changes).toEqual([
      [`secrets: [] → ["a digest","env:A until ${iso(1)}"]`],
      ['secrets: ["a digest"] → another digest'],
      ['secrets: ["a digest"] → []'],
    ]);
  });
});
