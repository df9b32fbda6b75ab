import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkClientDocument } from '../../provider/clients/check-client-document.ts';
import { operatorFieldNames } from '../../provider/operator/operator-fields.ts';
import { type Cluster, withCluster } from '../support/kubernetes.ts';

type Spec = Record<string, unknown>;

const web = { name: 'Shop', redirectUris: ['https://shop.example.com/callback'], scopes: ['openid'] };
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] };
const digest = { sha256: 'A'.repeat(43) };

/** Specs, and the field that `kubectl apply` must name. Those of the client document are wrong by its checks too. */
const refused: [field: string, spec: Spec][] = [
  ['name', { ...web, name: undefined }],
  ['name', { ...web, name: 'two\nlines' }],
  ['id', { ...web, id: 'a b' }],
  ['id', { ...web, id: 'user_1' }],
  ['id', { ...web, id: 'gatehouse-account' }],
  ['auth', { ...web, auth: 'password' }],
  ['pkce', { ...web, auth: 'none', pkce: 'optional' }],
  ['grants', { ...web, auth: 'none', grants: ['client_credentials'] }],
  ['grants', { ...web, grants: ['implicit'] }],
  ['grants', { ...web, grants: [] }],
  ['grants', { ...web, grants: ['password'] }],
  ['grants', { ...web, grants: ['client_credentials', 'refresh_token'] }],
  ['introspects', { ...web, auth: 'none', introspects: ['https://api.example.com'] }],
  ['secrets', { ...web, auth: 'none', secrets: [digest] }],
  ['secrets', { ...web, auth: 'private_key_jwt', jwks, secrets: [digest] }],
  ['secrets', { ...web, secrets: [digest, digest, digest] }],
  ['secrets[0].sha256', { ...web, secrets: [{ sha256: 'short' }] }],
  ['jwks', { ...web, auth: 'private_key_jwt' }],
  ['jwks', { ...web, auth: 'private_key_jwt', jwks, jwksUri: 'https://shop.example.com/jwks' }],
  ['jwks', { ...web, jwks }],
  ['assertionAudience', { ...web, assertionAudience: 'token_endpoint' }],
  ['jwks.keys', { ...web, auth: 'private_key_jwt', jwks: { keys: [] } }],
  ['redirectUris', { ...web, redirectUris: [] }],
  ['redirectUris', { ...web, redirectUris: undefined }],
  ['redirectUris[0]', { ...web, redirectUris: ['https://*.example.com/callback'] }],
  ['redirectUris[0]', { ...web, redirectUris: ['https://shop.example.com/#callback'] }],
  ['redirectUris[0]', { ...web, redirectUris: ['/callback'] }],
  ['postLogoutRedirectUris[0]', { ...web, postLogoutRedirectUris: ['bye'] }],
  ['origins[0]', { ...web, auth: 'none', origins: ['http://shop.example.com'] }],
  ['origins', { ...web, origins: ['https://shop.example.com'] }],
  ['scopes', { ...web, scopes: [] }],
  ['scopes', { ...web, scopes: ['profile'] }],
  ['scopes', { ...web, scopes: ['openid', 'offline_access'], grants: ['authorization_code'] }],
  ['scopes[0]', { ...web, scopes: ['two words'] }],
  ['clientUri', { ...web, clientUri: 'http://shop.example.com' }],
  ['backchannelLogoutUri', { ...web, backchannelLogoutUri: 'ftp://shop.example.com' }],
  ['graceSeconds', { ...web, graceSeconds: 61 }],
];

/** Specs that are wrong because of the fields that a client document does not have. */
const refusedHere: [field: string, spec: Spec][] = [
  ['secretRef', { ...web, secretRef: { name: 'a' }, secretName: 'b' }],
  ['secretRef', { ...web, secretRef: { name: 'a' }, secrets: [digest] }],
  ['secretRef.name', { ...web, secretRef: { name: 'A b' } }],
  ['secretRef.name', { ...web, secretRef: {} }],
  ['secrets', { ...web, auth: 'none', secretRef: { name: 'a' } }],
  ['secrets', { ...web, auth: 'none', secretName: 'a' }],
  ['secrets[0]', { ...web, secrets: [{ ref: 'file:/etc/passwd' }] }],
  ['rotateAfter', { ...web, rotateAfter: '30m', overlap: '1m' }],
  ['rotateAfter', { ...web, rotateAfter: '12h' }],
  ['rotateAfter', { ...web, rotateAfter: '720h', secretRef: { name: 'a' } }],
  ['overlap', { ...web, overlap: 'a day' }],
];

const accepted: Spec[] = [
  web,
  { ...web, secretRef: { name: 'a', key: 'b' }, overlap: '0s' },
  { ...web, secretName: 'a', rotateAfter: '720h', overlap: '48h' },
  { ...web, secrets: [{ ...digest, notAfter: '2030-01-31T00:00:00+01:00' }, digest] },
  { ...web, auth: 'none', origins: ['http://localhost:5173', 'https://shop.example.com'] },
  { ...web, auth: 'private_key_jwt', jwks },
  { ...web, redirectUris: ['http://[::1]:8080/callback', 'http://127.0.0.1/callback'] },
  { ...web, redirectUris: ['com.example.app:/callback'], applicationType: 'native', auth: 'none' },
  { name: 'Robot', grants: ['client_credentials'], scopes: ['contracts:read'] },
  { name: 'Gateway', grants: [], introspects: ['https://api.example.com'] },
  { ...web, firstParty: true, grants: ['password', 'refresh_token'] },
  { ...web, grants: ['urn:ietf:params:oauth:grant-type:device_code'] },
];

/** The problems of the client document of a spec, as the other ways in find them. */
function problemsOf(spec: Spec): string[] {
  const own = Object.entries(spec).filter(([name]) => !operatorFieldNames.includes(name));
  const document: Spec = { id: 'shop', ...Object.fromEntries(own) };
  const usesSecret = String(spec.auth ?? 'client_secret_basic').startsWith('client_secret');
  if (usesSecret && spec.secrets === undefined) document.secrets = [digest];
  const checked = checkClientDocument(JSON.parse(JSON.stringify(document)));
  return checked.ok ? [] : checked.problems.map(({ path }) => path);
}

describe('the specs of these tests', () => {
  test.each(refused)('are wrong by the checks of a client document: %s %j', (field, spec) => {
    expect(problemsOf(spec).join()).toContain(`/${field.split(/[.[]/)[0]}`);
  });

  test.each(accepted.map((spec) => [spec]))('are right by the checks of a client document: %j', (spec) => {
    expect(problemsOf(spec)).toEqual([]);
  });
});

await withCluster('kubectl apply', (cluster) => {
  let namespace: string;
  beforeAll(async () => {
    namespace = await cluster().createNamespace();
  });

  test.each([...refused, ...refusedHere])('refuses %s %j', async (field, spec) => {
    const answer = await apply(cluster(), namespace, 'shop', spec);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.message).toContain(`spec.${field}`);
  });

  test.each(accepted.map((spec) => [spec]))('accepts %j, and changes nothing in it', async (spec) => {
    const answer = await apply(cluster(), namespace, 'shop', spec);
    expect(answer.message).toBeUndefined();
    expect(answer.spec).toEqual(spec);
  });

  test('refuses a field that is not known, and the private part of a key', async () => {
    const unknown = await apply(cluster(), namespace, 'shop', {
      ...web,
      redirectUri: 'https://shop.example.com',
    });
    expect(unknown.message).toContain('redirectUri');
    const keys = [{ ...jwks.keys[0], d: 'secret' }];
    const leaked = await apply(cluster(), namespace, 'shop', {
      ...web,
      auth: 'private_key_jwt',
      jwks: { keys },
    });
    expect(leaked.message).toContain('.d');
  });

  test('refuses another id for the same resource', async () => {
    expect(
      (await apply(cluster(), namespace, 'fixed', { ...web, id: 'one' }, false)).message,
    ).toBeUndefined();
    const changed = await apply(cluster(), namespace, 'fixed', { ...web, id: 'two' });
    expect(changed.message).toContain('spec.id must not change');
    const removed = await apply(cluster(), namespace, 'fixed', web);
    expect(removed.message).toContain('spec.id must not change');
  });

  test('refuses a name that would make the client id too long', async () => {
    const name = 'a'.repeat(65);
    expect((await apply(cluster(), namespace, name, web)).message).toContain('at most 64 characters');
    expect((await apply(cluster(), namespace, name, { ...web, id: 'short' })).message).toBeUndefined();
  });
});

/** Creates or replaces a resource with strict validation, as `kubectl apply` does. */
async function apply({ api }: Cluster, namespace: string, name: string, spec: Spec, dryRun = true) {
  const base = `/apis/gatehouse.dev/v1alpha1/namespaces/${namespace}/oidcclients`;
  const query = new URLSearchParams({ fieldValidation: 'Strict', ...(dryRun && { dryRun: 'All' }) });
  const found = await api.call({ method: 'GET', path: `${base}/${name}` });
  const metadata = found.status === 200 ? (found.body as { metadata: object }).metadata : { name };
  const body = { apiVersion: 'gatehouse.dev/v1alpha1', kind: 'OIDCClient', metadata, spec };
  const answer = await api.call(
    found.status === 200
      ? { method: 'PUT', path: `${base}/${name}?${query}`, body }
      : { method: 'POST', path: `${base}?${query}`, body },
  );
  const read = answer.body as { message?: string; spec?: Spec };
  return {
    status: answer.status,
    message: answer.status >= 300 ? read.message : undefined,
    spec: read.spec,
  };
}
