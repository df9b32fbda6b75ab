import { beforeEach, expect, test } from '@jest/globals';
import {
  type AccountSources,
  createPersonClaims,
  findOidcAccount,
} from '../../provider/oidc/sessions/accounts-view.ts';
import { sampleAccount } from '../contract/account-store.ts';

const john = sampleAccount();
const { tokenVersion } = john;

let asked: (readonly string[])[];
let sources: AccountSources;
beforeEach(() => {
  asked = [];
  sources = {
    reads: {
      account: async (_id, unless = []) => {
        asked.push(unless);
        return unless.includes('family:ended') ? undefined : john;
      },
    },
    accounts: { permissionsOf: () => [] },
    personClaims: createPersonClaims([]),
  };
});

test.each([
  ['a session', { uid: 's1' }, ['session:s1']],
  ['a code', { familyId: 'f', sessionUid: 's1', expiresWithSession: true }, ['family:f', 'session:s1']],
  [
    'a code of a client that was never revoked',
    { familyId: 'f', clientId: 'web' },
    ['family:f', 'client:web@0'],
  ],
  [
    'a code of a client after its revocation',
    { familyId: 'f', clientId: 'web', clientTokenVersion: 2 },
    ['family:f', 'client:web@2'],
  ],
  ['a code that does not end with its session', { familyId: 'f', sessionUid: 's1' }, ['family:f']],
  ['an access token', {}, []],
])('an account is found for %s, and all its revocation keys are checked', async (_, by, unless) => {
  expect(await findOidcAccount(sources, john.id, { tokenVersion, ...by })).toMatchObject({ account: john });
  expect(asked).toEqual([unless]);
});

test('no account is found for an ended family or an old token version', async () => {
  expect(await findOidcAccount(sources, john.id, { tokenVersion, familyId: 'ended' })).toBeUndefined();
  expect(await findOidcAccount(sources, john.id, { tokenVersion: tokenVersion - 1 })).toBeUndefined();
  expect(await findOidcAccount(sources, john.id)).toMatchObject({ accountId: john.id });
});
