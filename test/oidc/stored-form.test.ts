import '../../provider/oidc/runtime-notice.ts';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import { storedForm } from '../../provider/oidc/patches/refresh-tokens.ts';
import { keptFields } from '../../provider/oidc/patches/table.ts';
import type { OidcServices } from '../../provider/oidc/services.ts';
import { createManualClock } from '../support/manual-clock.ts';

const now = 1_900_000_000;
const provider = new Provider('http://localhost', { features: { devInteractions: { enabled: false } } });
const models = provider as unknown as Record<string, new (payload: object) => object>;
const client = { clientId: 'app' };
type Stored = (this: object) => Promise<{ value: string; payload: object }>;
const byLibrary = (Object.getPrototypeOf(models.BaseToken?.prototype) as { getValueAndPayload: Stored })
  .getValueAndPayload;
const ours: Stored = storedForm(byLibrary, {
  clock: createManualClock(now * 1000),
} as unknown as OidcServices);

beforeAll(() => void jest.useFakeTimers({ now: now * 1000, doNotFake: ['nextTick', 'queueMicrotask'] }));
afterAll(() => void jest.useRealTimers());

const fields = {
  accountId: 'user_A',
  grantId: 'user_A:app',
  scope: 'openid offline_access',
  claims: { userinfo: { email: null } },
  resource: ['https://api.example.com'],
  authTime: 1,
  amr: ['pwd'],
  acr: undefined,
  nonce: 'n',
  unknown: 'is not stored',
};

test.each([
  ['a new code', 'AuthorizationCode', { ...fields, jti: 'a', codeChallenge: 'c', redirectUri: 'r:/' }],
  [
    'a code with our fields',
    'AuthorizationCode',
    { ...fields, jti: 'a', familyId: 'fam_A', tokenVersion: 0 },
  ],
  ['a device code', 'DeviceCode', { jti: 'a', userCode: 'BCDF', inFlight: false, error: 'access_denied' }],
  ['a new refresh token', 'RefreshToken', { ...fields, jti: 'a', rotations: 0 }],
  ['a refresh token that was stored', 'RefreshToken', { ...fields, jti: 'a', iat: now - 9, exp: now + 9 }],
])('of %s is the library’s', async (_name, model, payload) => {
  const Model = models[model] as unknown as { IN_PAYLOAD: string[]; new (payload: object): object };
  if (!Model.IN_PAYLOAD.includes('familyId')) {
    const names = [...Model.IN_PAYLOAD, ...(keptFields[model] ?? [])];
    Object.defineProperty(Model, 'IN_PAYLOAD', { get: () => names });
  }
  const token = new Model({ ...payload, client, expiresIn: 60 });
  const expected = await byLibrary.call(token);
  expect(await ours.call(token)).toEqual(expected);
  expect(expected.payload).toMatchObject({ clientId: 'app', kind: model });
});
