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

describe('the audience of a request without a resource', () => {
  test.each<[string, PolicyClient, string[], string[]]>([
    ['is the issuer without a scope of an API', client(), ['openid', 'email'], [issuer]],
    ['is the API of the requested scope', client(), ['openid', 'billing:read'], [billing]],
    [
      'is several APIs in the configured order',
      client(),
      ['billing:read', 'contracts:read'],
      [contracts, billing],
    ],
    [
      'is the default API first',
      client({ defaultResource: billing }),
      ['billing:read', 'contracts:read'],
      [billing, contracts],
    ],
    [
      'is not the default API of a third-party client without its scope',
      client({ defaultResource: contracts }),
      ['openid'],
      [issuer],
    ],
    ['is the default API of a first-party client', own(), ['openid'], [contracts]],
    [
      'is the API of the requested scope before the default of a first-party client',
      own(),
      ['billing:read'],
      [billing],
    ],
  ])('%s', (_, facts, scopes, expected) => {
    expect(policy.defaultAudiences(facts, set(...scopes))).toEqual(expected);
  });
});

describe('the allowed scopes of a client', () => {
  test('at the issuer: the OpenID Connect scopes of its document', () => {
    expect(policy.resource(client(), issuer, set('openid'))).toEqual({
      audience: issuer,
      scopes: ['openid', 'email'],
    });
  });

  test('at an API: the same, and the scopes of the API in its document', () => {
    const { scopes } = policy.resource(client(), contracts, set('contracts:read'));
    expect(scopes).toEqual(['openid', 'email', 'contracts:read']);
  });

  test.each<[string, PolicyClient, string, string[] | undefined, string]>([
    ['an unknown API', client(), 'https://evil.example', undefined, 'invalid_target'],
    ['a similar audience', client(), `${contracts}/`, ['contracts:read'], 'invalid_target'],
    [
      'an API without a scope of the client',
      client({ scopes: ['openid'] }),
      contracts,
      undefined,
      'invalid_target',
    ],
    [
      'a scope that is not in its document',
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

  test('a first-party client needs no scope for its default API', () => {
    const facts = own({ scopes: ['openid'] });
    expect(policy.resource(facts, contracts, set('openid')).scopes).toEqual(['openid']);
  });

  test('the error does not contain the requested value unescaped', () => {
    const look = () => policy.resource(client(), 'https://evil.example/\n"x"\u0000é');
    expect(look).toThrow(expect.objectContaining({ error: 'invalid_target' }));
    try {
      look();
    } catch (error) {
      expect(String((error as { error_description?: string }).error_description)).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});

describe('the audience of a token', () => {
  const granted = [contracts, billing];

  test.each<[string, PolicyClient, string[], unknown, string[] | undefined, string]>([
    ['is the requested one', client(), ['contracts:read', 'billing:read'], billing, granted, billing],
    [
      'is the first by its scopes otherwise',
      client(),
      ['contracts:read', 'billing:read'],
      undefined,
      granted,
      contracts,
    ],
    [
      'is one of the granted ones',
      client(),
      ['contracts:read', 'billing:read'],
      undefined,
      [billing],
      billing,
    ],
    ['is the issuer if no scope of an API is left', client(), ['openid'], undefined, granted, issuer],
    [
      'is the issuer if its API was not granted',
      client(),
      ['openid', 'contracts:read'],
      undefined,
      [],
      issuer,
    ],
    ['may always be the issuer', client(), ['openid'], issuer, granted, issuer],
  ])('%s', (_, facts, scopes, asked, from, expected) => {
    expect(policy.audience(facts, set(...scopes), asked, from)).toBe(expected);
  });

  test.each<[string, unknown, string[]]>([
    ['two audiences', [contracts, billing], granted],
    ['an audience that was not granted', contracts, [billing]],
    ['an unknown audience', 'https://evil.example', granted],
  ])('cannot be %s', (_, asked, from) => {
    expect(() => policy.audience(client(), set('contracts:read'), asked, from)).toThrow(
      expect.objectContaining({ error: 'invalid_target' }),
    );
  });
});

test('permissions come from the granted scopes of this audience only', () => {
  const scopes = ['openid', 'contracts:read', 'billing:read'];
  expect([...policy.permissionsOf(contracts, scopes)]).toEqual(['may contracts:read']);
  expect([...policy.permissionsOf(issuer, scopes)]).toEqual([]);
  expect(policy.hasApiScope(contracts, scopes)).toBe(true);
  expect(policy.hasApiScope(contracts, ['openid', 'billing:read'])).toBe(false);
});
