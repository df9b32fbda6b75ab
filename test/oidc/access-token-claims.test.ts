import '../../provider/oidc/runtime-notice.ts';
import { describe, expect, test } from '@jest/globals';
import { type PersonalClaimsInput, personalClaims } from '../../provider/oidc/tokens/extra-token-claims.ts';
import { createTokenPolicy } from '../../provider/oidc/tokens/token-policy.ts';

const issuer = 'https://login.example';
const audience = 'https://contracts.example';
const scopes = ['contracts:read', 'contracts:write'].map((name) => ({
  name,
  description: name,
  permission: `may ${name}`,
}));
const policy = createTokenPolicy([{ audience, name: 'Contracts', scopes }], issuer);

const input = (changes: Partial<PersonalClaimsInput>, firstParty = false): PersonalClaimsInput => ({
  client: { firstParty },
  person: {
    email: 'john@example.com',
    emailVerified: true,
    tokenVersion: 7,
    roles: ['ADMIN'],
    permissions: ['may contracts:read', 'may everything'],
  },
  audience,
  scopes: new Set(['openid']),
  family: 'fam_1',
  ...changes,
});
const always = { family: 'fam_1', generation: 7 };
const address = { email: 'john@example.com', email_verified: true };

describe('a third-party client', () => {
  test.each<[string, Partial<PersonalClaimsInput>, object]>([
    ['only the claims for revocation', { audience: issuer }, {}],
    ['the session if the family ends with it', { audience: issuer, sid: 's1' }, { sid: 's1' }],
    [
      'the email address with the scope email',
      { audience: issuer, scopes: new Set(['openid', 'email']) },
      address,
    ],
    [
      'permissions of the granted scopes that the person also has',
      { scopes: new Set(['openid', 'contracts:read', 'contracts:write']) },
      { permissions: ['may contracts:read'] },
    ],
    [
      'no permissions if the person has none of them',
      { scopes: new Set(['contracts:write']) },
      { permissions: [] },
    ],
    ['no permissions at another audience', { audience: issuer, scopes: new Set(['contracts:read']) }, {}],
  ])('gets %s', (_, changes, expected) => {
    expect(personalClaims(policy, input(changes))).toEqual({ ...always, ...expected });
  });
});

test('a first-party client gets the roles and permissions of the person, whatever the scopes', () => {
  expect(personalClaims(policy, input({}, true))).toEqual({
    ...always,
    ...address,
    roles: ['ADMIN'],
    permissions: ['may contracts:read', 'may everything'],
  });
});
