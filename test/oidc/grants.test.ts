import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientFacts } from '../../provider/oidc/client-facts.ts';
import { createWithdrawConsent } from '../../provider/oidc/sessions/withdraw-consent.ts';
import { createGrants, type Grants } from '../../provider/oidc/tokens/grants.ts';
import { MemoryConsentStore } from '../support/memory/consent-store.ts';

const agreement = { accountId: 'user_A', clientId: 'app', oidcScopes: ['openid'], resourceScopes: {} };
const facts = (id: string, firstParty: boolean): ClientFacts => ({
  id,
  name: id,
  firstParty,
  scopes: ['openid', 'email'],
  introspects: [],
  pkceRequired: true,
  origins: [],
});

let consents: MemoryConsentStore;
let clients: Map<string, ClientFacts>;
let grants: Grants;
let asked: number;
beforeEach(() => {
  asked = 0;
  consents = new MemoryConsentStore();
  clients = new Map([
    ['app', facts('app', false)],
    ['own', facts('own', true)],
  ]);
  const counted = {
    find: (accountId: string, clientId: string) => {
      asked += 1;
      return consents.find(accountId, clientId);
    },
  };
  grants = createGrants({
    clients: { find: (id) => clients.get(id) },
    consents: counted,
    apis: [],
    issuer: 'https://login.example',
  });
});

describe('what was issued before', () => {
  test('is granted by the consent it names, and by no other', async () => {
    const first = (await consents.add(agreement, 1)).consent;
    const id = `user_A:app:${first.id}`;
    expect(await grants.byId(id)).toMatchObject({ jti: id, accountId: 'user_A', clientId: 'app' });
    expect(await grants.current('user_A', 'app')).toMatchObject({ jti: id });
    await consents.add({ ...agreement, oidcScopes: ['email'] }, 2);
    expect(await grants.byId(id)).toMatchObject({ jti: id });
    await consents.withdraw(first);
    expect(await grants.byId(id)).toBeUndefined();
    const second = (await consents.add(agreement, 1)).consent;
    expect(await grants.byId(id)).toBeUndefined();
    expect(await grants.byId(`user_A:app:${second.id}`)).toBeDefined();
  });

  test.each([
    'user_A:app',
    'user_A:app:',
    'user_A:app:undefined',
    'user_B:app:',
    'user_A:gone:x',
    'nonsense',
    '',
  ])('under "%s" is granted by none', async (id) => {
    await consents.add(agreement, 1);
    expect(await grants.byId(id)).toBeUndefined();
  });

  test('by one of our own apps needs none, and asks no store', async () => {
    expect(await grants.byId('user_A:own')).toMatchObject({ jti: 'user_A:own' });
    expect(await grants.current('user_A', 'own')).toMatchObject({ jti: 'user_A:own' });
    expect(asked).toBe(0);
    clients.set('own', facts('own', false));
    expect(await grants.byId('user_A:own')).toBeUndefined();
  });
});

describe('withdrawing', () => {
  const steps = () => {
    const done: string[] = [];
    const step = (name: string) => async () => void done.push(name);
    return { done, step };
  };

  test('ends access tokens first, then the consent, then what is listed', async () => {
    const consent = (await consents.add(agreement, 1)).consent;
    const { done, step } = steps();
    const withdraw = createWithdrawConsent({
      consents,
      endConsent: async (id) => void done.push(id === consent.id ? 'access tokens' : id),
      withdraw: async (each) => {
        done.push('consent');
        return consents.withdraw(each);
      },
      endFamilies: step('families'),
    });
    expect(await withdraw('user_A', 'app')).toBe(true);
    expect(done).toEqual(['access tokens', 'consent', 'families']);
    expect(await withdraw('user_A', 'app')).toBe(false);
    expect(done).toHaveLength(3);
  });

  test('that fails halfway can be done again', async () => {
    await consents.add(agreement, 1);
    const { done, step } = steps();
    let away = true;
    const withdraw = createWithdrawConsent({
      consents,
      endConsent: step('access tokens'),
      withdraw: (each) => (away ? Promise.reject(new Error('away')) : consents.withdraw(each)),
      endFamilies: step('families'),
    });
    await expect(withdraw('user_A', 'app')).rejects.toThrow('away');
    away = false;
    expect(await withdraw('user_A', 'app')).toBe(true);
    expect(done).toEqual(['access tokens', 'access tokens', 'families']);
  });
});
