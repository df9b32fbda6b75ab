import { beforeEach, expect, test } from '@jest/globals';
import { findClient } from '../../provider/oidc/patches/requests.ts';
import type { OidcServices } from '../../provider/oidc/services.ts';

let metadata: Map<string, object>;
let thirdParties: Set<string>;
let made: string[];
let find: (id?: string) => Promise<object | undefined>;
/** Called while the library makes a model. */
let meanwhile: () => void;

beforeEach(() => {
  metadata = new Map([['web', { client_id: 'web' }]]);
  thirdParties = new Set();
  made = [];
  meanwhile = () => {};
  const clients = {
    metadata: (id: string) => metadata.get(id),
    mayBeThirdParty: (id: string) => thirdParties.has(id),
  };
  const library = async (id: string) => {
    made.push(id);
    const model = metadata.has(id) || thirdParties.has(id) ? { of: metadata.get(id) } : undefined;
    meanwhile();
    return model;
  };
  find = findClient(library, { clients } as unknown as OidcServices);
});

test('the model of a client is looked for once, as long as its document is the same', async () => {
  const first = await find('web');
  expect(await find('web')).toBe(first);
  expect(made).toEqual(['web']);
});

test('a changed document gives another model', async () => {
  await find('web');
  const changed = { client_id: 'web', scope: 'openid' };
  metadata.set('web', changed);
  expect(await find('web')).toEqual({ of: changed });
});

test('a document that changes while its model is made is not remembered', async () => {
  const old = metadata.get('web');
  meanwhile = () => metadata.set('web', { client_id: 'web', scope: 'openid' });
  expect(await find('web')).toEqual({ of: old });
  meanwhile = () => {};
  expect(await find('web')).toEqual({ of: metadata.get('web') });
  metadata.set('web', old ?? {});
  await find('web');
  expect(made).toEqual(['web', 'web', 'web']);
});

test('a disabled or removed client is looked for each time, so that the library can refuse it', async () => {
  await find('web');
  metadata.delete('web');
  expect(await find('web')).toBeUndefined();
  expect(await find()).toBeUndefined();
  expect(made).toEqual(['web', 'web', '']);
});

test('a client that registered itself is looked for each time', async () => {
  thirdParties.add('https://app.example.com');
  await find('https://app.example.com');
  await find('https://app.example.com');
  expect(made).toHaveLength(2);
});
