import '../../provider/oidc/runtime-notice.ts';
import { describe, expect, test } from '@jest/globals';
import { createPersonClaims } from '../../provider/oidc/sessions/accounts-view.ts';
import {
  firstPartyConsent,
  grantIdOf,
  grantPayload,
  parseGrantId,
} from '../../provider/oidc/tokens/grants.ts';

const issuer = 'https://login.example';
const audience = 'https://contracts.example';
const scope = (name: string) => ({ name, description: name, permission: name });
const apis = [
  { audience, name: 'Contracts', scopes: [scope('contracts:read'), scope('contracts:write')] },
  { audience: 'https://billing.example', name: 'Billing', scopes: [scope('billing:read')] },
];

describe('a grant id', () => {
  test('contains the account, the client and the consent', () => {
    const whose = { accountId: 'user_AAAA', clientId: 'app.one-two_three' };
    expect(parseGrantId(grantIdOf(whose))).toEqual(whose);
    expect(parseGrantId(grantIdOf({ ...whose, consentId: 'a-consent' }))).toEqual({
      ...whose,
      consentId: 'a-consent',
    });
  });

  test.each(['', ':', 'user_A', 'user_A:', ':app', 'user_A:app:', 'user_A::app', 'a:b:c:d'])(
    '"%s" is not a grant id',
    (text) => {
      expect(parseGrantId(text)).toBeUndefined();
    },
  );
});

test('the grant of a first-party client has the scopes of its document for each API', () => {
  const client = { id: 'own', scopes: ['openid', 'offline_access', 'contracts:write', 'unknown'] };
  expect(firstPartyConsent('user_A', client, apis)).toEqual({
    accountId: 'user_A',
    clientId: 'own',
    oidcScopes: ['openid', 'offline_access'],
    resourceScopes: { [audience]: ['contracts:write'], 'https://billing.example': [] },
  });
});

describe("the library's grant", () => {
  const consent = {
    id: 'a-consent',
    accountId: 'user_A',
    clientId: 'app',
    oidcScopes: ['openid', 'email'],
    resourceScopes: { [audience]: ['contracts:read'] },
  };
  const payload = grantPayload(consent, {
    issuer,
    claims: createPersonClaims([]).byScope,
    listed: ['openid', 'email', 'contracts:read'],
  });

  test('has the OpenID Connect scopes at every resource, because a token for a resource can carry both kinds', () => {
    expect(payload).toMatchObject({
      kind: 'Grant',
      jti: 'user_A:app:a-consent',
      accountId: 'user_A',
      clientId: 'app',
      openid: { scope: 'openid email', claims: ['email', 'email_verified'] },
      resources: { [issuer]: 'openid email', [audience]: 'openid email contracts:read' },
    });
  });

  test('rejects requested claims whose scope is not in the client document', () => {
    const { rejected } = payload as { rejected: { openid: { claims: string[] } } };
    expect(rejected.openid.claims).toContain('name');
    expect(rejected.openid.claims).not.toContain('email');
  });
});
