import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type ClientDocument, clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { createNewEvent } from '../../provider/events/catalogue.ts';
import { createPersonClaims } from '../../provider/oidc/sessions/accounts-view.ts';
import { createConsents } from '../../provider/oidc/sessions/consents.ts';
import { createGrants, type Grants, parseGrantId } from '../../provider/oidc/tokens/grants.ts';
import { createTokenPolicy } from '../../provider/oidc/tokens/token-policy.ts';
import type { AccountFacts } from '../../provider/ports/account-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryConsentStore } from '../support/memory/consent-store.ts';

const agreement = { accountId: 'user_A', clientId: 'app', oidcScopes: ['openid'], resourceScopes: {} };
const issuer = 'https://login.example';
const audience = 'https://contracts.example';
const apis = [
  {
    audience,
    name: 'Contracts',
    scopes: ['contracts:read', 'contracts:write'].map((name) => ({
      name,
      description: name,
      permission: name,
    })),
  },
];
const facts = (id: string, firstParty: boolean): ClientDocument =>
  clientDocumentSchema.parse({ id, name: id, firstParty, scopes: ['openid', 'email'] });

let consents: MemoryConsentStore;
let clients: Map<string, ClientDocument>;
let grants: Grants;
let asked: number;
/** In these tests a role is its one permission. */
let roles: string[];
beforeEach(() => {
  asked = 0;
  consents = new MemoryConsentStore();
  clients = new Map([
    ['app', facts('app', false)],
    ['own', facts('own', true)],
  ]);
  roles = ['contracts:read'];
  const counted = {
    account: async (id: string) => ({ id, roles }) as unknown as AccountFacts,
    consent: (accountId: string, clientId: string) => {
      asked += 1;
      return consents.find(accountId, clientId);
    },
  };
  const made = createGrants({
    clients: { find: (id) => clients.get(id) },
    reads: counted,
    accounts: { permissionsOf: (roles) => [...roles] },
    policy: createTokenPolicy(apis, issuer),
    claims: createPersonClaims([]).byScope,
    apis,
    issuer,
  });
  // The short answer is always the same as the long one.
  const byId = async (grantId: string) => {
    const [found, parts] = [await made.byId(grantId), parseGrantId(grantId)];
    const before = asked;
    if (parts) expect(await made.isInForce(parts)).toBe(found !== undefined);
    asked = before;
    return found;
  };
  grants = { ...made, byId };
});

describe('an issued token', () => {
  test('has a grant through the consent in its grant id, and through no other', async () => {
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
  ])('has no grant if its grant id is "%s"', async (id) => {
    await consents.add(agreement, 1);
    expect(await grants.byId(id)).toBeUndefined();
  });

  test('of a first-party client needs no consent', async () => {
    expect(await grants.byId('user_A:own')).toMatchObject({ jti: 'user_A:own' });
    expect(await grants.current('user_A', 'own')).toMatchObject({ jti: 'user_A:own' });
    expect(asked).toBe(0);
    clients.set('own', facts('own', false));
    expect(await grants.byId('user_A:own')).toBeUndefined();
  });
});

describe('the scopes of an API', () => {
  const all = ['contracts:read', 'contracts:write'];
  type Payload = { resources: Record<string, string>; rejected: { resources: Record<string, string> } };
  const found = (payload: unknown) => payload as Payload;

  test.each(['app', 'own'])(
    'in tokens of %s are cut to the permissions that the person has now',
    async (id) => {
      clients.set('own', { ...facts('own', true), scopes: ['openid', ...all] });
      const { consent } = await consents.add({ ...agreement, resourceScopes: { [audience]: all } }, 1);
      const grantId = id === 'app' ? `user_A:app:${consent.id}` : 'user_A:own';
      const scopesNow = async () => found(await grants.byId(grantId)).resources[audience];
      expect(await scopesNow()).toBe('openid contracts:read');
      roles = all;
      expect(await scopesNow()).toBe('openid contracts:read contracts:write');
      roles = [];
      expect(await scopesNow()).toBe('openid');
      const authorization = found(await grants.current('user_A', id));
      expect(authorization.resources[audience]).toBe('openid contracts:read contracts:write');
    },
  );

  test('that the person can neither give nor has agreed to are not asked for', async () => {
    await consents.add({ ...agreement, resourceScopes: {} }, 1);
    expect(found(await grants.current('user_A', 'app')).rejected.resources[audience]).toBe('contracts:write');
    await consents.add({ ...agreement, resourceScopes: { [audience]: ['contracts:write'] } }, 1);
    expect(found(await grants.current('user_A', 'app')).rejected.resources[audience]).toBe('');
  });
});

describe('the withdrawal of a consent', () => {
  const clock = createManualClock();

  /** Consents with recorded steps. The transaction fails while `away` is true. */
  function world() {
    const done: string[] = [];
    const told: string[] = [];
    const state = { away: false };
    const stores = {
      consents: {
        add: (...args: Parameters<MemoryConsentStore['add']>) => consents.add(...args),
        withdraw: (each: Parameters<MemoryConsentStore['withdraw']>[0]) => {
          done.push('consent');
          return consents.withdraw(each);
        },
      },
      clientSessions: {
        end: async () => {
          done.push('sessions at the app');
          return 0;
        },
      },
      outbox: { append: async ({ type }: { type: string }) => void told.push(type) },
    };
    const made = createConsents({
      store: consents,
      unitOfWork: {
        run: async (work) => {
          if (state.away) throw new Error('away');
          return work(stores as never);
        },
      },
      newEvent: createNewEvent({ clock }),
      clock,
      revocation: { endConsent: async () => void done.push('access tokens') },
      signIns: {
        end: async () => {
          done.push('families');
          return 0;
        },
      },
      unlistFailed: () => {},
    });
    return { made, done, told, state };
  }

  test('ends access tokens first, then the consent, then the listed sign-ins', async () => {
    await consents.add(agreement, 1);
    const { made, done, told } = world();
    expect(await made.withdraw('user_A', 'app')).toBe(true);
    expect(done).toEqual(['access tokens', 'consent', 'sessions at the app', 'families']);
    expect(told).toEqual(['consent.withdrawn']);
    expect(await made.withdraw('user_A', 'app')).toBe(false);
    expect(done).toHaveLength(4);
  });

  test('can be repeated after a failure', async () => {
    await consents.add(agreement, 1);
    const { made, done, state } = world();
    state.away = true;
    await expect(made.withdraw('user_A', 'app')).rejects.toThrow('away');
    state.away = false;
    expect(await made.withdraw('user_A', 'app')).toBe(true);
    expect(done).toEqual(['access tokens', 'access tokens', 'consent', 'sessions at the app', 'families']);
  });
});
