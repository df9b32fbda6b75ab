import { describe, expect, test } from '@jest/globals';
import { parseClientDocuments } from '../../provider/clients/parse-client-documents.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { accept, clientIdOf, mayClaim, ownerName, resourceOf } from '../../provider/operator/acceptance.ts';
import { durationMs } from '../../provider/operator/operator-fields.ts';

const web = { name: 'Shop', redirectUris: ['https://shop.example.com/callback'], scopes: ['openid'] };
const resource = (spec: Record<string, unknown>, namespace = 'shop') => ({
  metadata: { namespace, name: 'web', uid: '1', resourceVersion: '1', generation: 1 },
  spec,
});
const rules = { claims: new Map([['shop', ['storefront', 'shop-*']]]), firstParty: ['platform'] };
const claims = knownClaims({ apis: [], roles: {}, claims: [] }, 'https://id.example.com');
const check = (value: unknown) => {
  const parsed = parseClientDocuments([{ origin: 'spec', value }], [], { deviceFlow: true, claims });
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path} ${message}`);
};
const reasonOf = (spec: Record<string, unknown>, namespace?: string) =>
  accept(resource(spec, namespace), rules, check).finding.reason;

describe('which specs are accepted', () => {
  test.each<[string, string, Record<string, unknown>, string]>([
    ['a good one', 'Accepted', web, 'shop'],
    ['its own prefix', 'Accepted', { ...web, id: 'shop.api' }, 'shop'],
    ['an id of the settings', 'Accepted', { ...web, id: 'storefront' }, 'shop'],
    ['a pattern of the settings', 'Accepted', { ...web, id: 'shop-mobile' }, 'shop'],
    ['the id of another namespace', 'ClientIdNotAllowed', { ...web, id: 'payments.api' }, 'shop'],
    ['an id that only begins like its own', 'ClientIdNotAllowed', { ...web, id: 'shopping.api' }, 'shop'],
    [
      'an id of the settings in another namespace',
      'ClientIdNotAllowed',
      { ...web, id: 'storefront' },
      'payments',
    ],
    ['a first-party client', 'FirstPartyNotAllowed', { ...web, firstParty: true }, 'shop'],
    ['a first-party client where it is allowed', 'Accepted', { ...web, firstParty: true }, 'platform'],
    [
      'a reference that a server would read',
      'InvalidSpec',
      { ...web, secrets: [{ ref: 'file:/etc/passwd' }] },
      'shop',
    ],
    ['a document with a problem', 'InvalidSpec', { ...web, redirectUris: [] }, 'shop'],
    ['a duration with a problem', 'InvalidSpec', { ...web, overlap: 'a day' }, 'shop'],
  ])('%s: the reason is %s', (_, reason, spec, namespace) => {
    expect(reasonOf(spec, namespace)).toBe(reason);
  });

  test('all problems are named at once', () => {
    const { finding } = accept(
      resource({ ...web, redirectUris: [], scopes: ['x'], overlap: 'z' }),
      rules,
      check,
    );
    expect(finding.message).toMatch(/overlap.*redirectUris.*scopes/s);
  });

  test('a dot in a pattern is a dot', () => {
    expect(mayClaim('a', 'shopXapi', { claims: new Map([['a', ['shop.api']]]), firstParty: [] })).toBe(false);
  });

  test.each([
    [{}, 'generated'],
    [{ secretRef: { name: 'a' } }, 'referenced'],
    [{ secrets: [{ sha256: 'A'.repeat(43) }] }, 'digests'],
    [{ auth: 'none' }, 'none'],
  ])('%j: the secret is %s', (fields, secret) => {
    const { acceptable } = accept(resource({ ...web, ...fields }), rules, check);
    expect(acceptable?.secret).toBe(secret);
    expect(acceptable?.document).not.toHaveProperty('secretRef');
  });

  test('without an id, namespace and name are the client id', () => {
    expect(clientIdOf(resource(web))).toBe('shop.web');
  });
});

test.each([
  ['1h', 3_600_000],
  ['24h30m', 88_200_000],
  ['90s', 90_000],
  ['1h2m3s', 3_723_000],
])('the duration %s', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

describe('the owner of a client', () => {
  const key = { namespace: 'shop', name: 'web' };

  test.each([undefined, 'blue'])('cluster %s: the name leads back to the resource', (cluster) => {
    expect(resourceOf(cluster, ownerName(cluster, key))).toEqual(key);
  });

  test.each([
    [undefined, 'blue'],
    ['blue', undefined],
    ['blue', 'green'],
  ])('cluster %s does not know the clients of cluster %s', (mine, theirs) => {
    expect(resourceOf(mine, ownerName(theirs, key))).toBeUndefined();
  });
});
