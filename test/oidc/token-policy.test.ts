import '../../provider/oidc/runtime-notice.ts';
import { describe, expect, test } from '@jest/globals';
import { createTokenPolicy, type PolicyClient } from '../../provider/oidc/tokens/token-policy.ts';

const issuer = 'https://login.example';
const contracts = 'https://contracts.example';
const billing = 'https://billing.example';
const api = (audience: string, scopes: string[]) => ({
  audience,
  name: audience,
  scopes: scopes.map((name) => ({ name, description: name, permission: `may ${name}` })),
});
const policy = createTokenPolicy(
  [api(contracts, ['contracts:read', 'contracts:write']), api(billing, ['billing:read'])],
  issuer,
);

const client = (changes: Partial<PolicyClient> = {}): PolicyClient => ({
  firstParty: false,
  scopes: ['openid', 'email', 'contracts:read', 'billing:read'],
  ...changes,
});
const own = (changes: Partial<PolicyClient> = {}) =>
  client({ firstParty: true, defaultResource: contracts, ...changes });
const set = (...scopes: string[]) => new Set(scopes);

describe('the audience of a request that names none', () => {
  test.each<[string, PolicyClient, string[], string[]]>([
    ['no scope of an API: the issuer', client(), ['openid', 'email'], [issuer]],
    ['the API whose scope is asked for', client(), ['openid', 'billing:read'], [billing]],
    ['several APIs, as configured', client(), ['billing:read', 'contracts:read'], [contracts, billing]],
    [
      'the default among them comes first',
      client({ defaultResource: billing }),
      ['billing:read', 'contracts:read'],
      [billing, contracts],
    ],
    [
      "a third party's default does not count without its scope",
      client({ defaultResource: contracts }),
      ['openid'],
      [issuer],
    ],
    ["a first party's default does", own(), ['openid'], [contracts]],
    ['but a scope that was asked for goes before it', own(), ['billing:read'], [billing]],
  ])('%s', (_, facts, scopes, expected) => {
    expect(policy.defaultAudiences(facts, set(...scopes))).toEqual(expected);
  });
});

describe('what a client may have at an audience', () => {
  test('at the issuer: the OpenID Connect scopes of its document', () => {
    expect(policy.resource(client(), issuer, set('openid'))).toEqual({
      audience: issuer,
      scopes: ['openid', 'email'],
    });
  });

  test("at an API: those, and the scopes of its document that are the API's", () => {
    const { scopes } = policy.resource(client(), contracts, set('contracts:read'));
    expect(scopes).toEqual(['openid', 'email', 'contracts:read']);
  });

  test.each<[string, PolicyClient, string, string[] | undefined, string]>([
    ['an unknown API', client(), 'https://evil.example', undefined, 'invalid_target'],
    ['something like one', client(), `${contracts}/`, ['contracts:read'], 'invalid_target'],
    ['an API it has no scope of', client({ scopes: ['openid'] }), contracts, undefined, 'invalid_target'],
    [
      'a scope its document lacks',
      client(),
      contracts,
      ['contracts:read', 'contracts:write'],
      'invalid_scope',
    ],
    ['an API without any of its scopes', client(), contracts, ['openid'], 'invalid_scope'],
  ])('%s: %s', (_, facts, audience, scopes, error) => {
    expect(() => policy.resource(facts, audience, scopes && set(...scopes))).toThrow(
      expect.objectContaining({ error }),
    );
  });

  test('a first party needs no scope for its API', () => {
    const facts = own({ scopes: ['openid'] });
    expect(policy.resource(facts, contracts, set('openid')).scopes).toEqual(['openid']);
  });

  test('what it asked for is not written into the error as it came', () => {
    const look = () => policy.resource(client(), 'https://evil.example/\n"x"\u0000é');
    expect(look).toThrow(expect.objectContaining({ error: 'invalid_target' }));
    try {
      look();
    } catch (error) {
      expect(String((error as { error_description?: string }).error_description)).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});

describe('the one audience of a token', () => {
  const granted = [contracts, billing];

  test.each<[string, PolicyClient, string[], unknown, string[] | undefined, string]>([
    ['the one asked for', client(), ['contracts:read', 'billing:read'], billing, granted, billing],
    [
      'else the first by its scopes',
      client(),
      ['contracts:read', 'billing:read'],
      undefined,
      granted,
      contracts,
    ],
    ['out of what was granted', client(), ['contracts:read', 'billing:read'], undefined, [billing], billing],
    ['the issuer, when no scope of an API is left', client(), ['openid'], undefined, granted, issuer],
    [
      'the issuer, when its API was not granted',
      client(),
      ['openid', 'contracts:read'],
      undefined,
      [],
      issuer,
    ],
    ['the issuer is always good', client(), ['openid'], issuer, granted, issuer],
  ])('%s', (_, facts, scopes, asked, from, expected) => {
    expect(policy.audience(facts, set(...scopes), asked, from)).toBe(expected);
  });

  test.each<[string, unknown, string[]]>([
    ['two at once', [contracts, billing], granted],
    ['one that was not granted', contracts, [billing]],
    ['an unknown one', 'https://evil.example', granted],
  ])('%s is an invalid target', (_, asked, from) => {
    expect(() => policy.audience(client(), set('contracts:read'), asked, from)).toThrow(
      expect.objectContaining({ error: 'invalid_target' }),
    );
  });
});

test('permissions are those of the scopes granted, at this audience only', () => {
  const scopes = ['openid', 'contracts:read', 'billing:read'];
  expect([...policy.permissionsOf(contracts, scopes)]).toEqual(['may contracts:read']);
  expect([...policy.permissionsOf(issuer, scopes)]).toEqual([]);
  expect(policy.hasApiScope(contracts, scopes)).toBe(true);
  expect(policy.hasApiScope(contracts, ['openid', 'billing:read'])).toBe(false);
});
