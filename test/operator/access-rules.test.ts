import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AccessRule, ownRules, watchedRules } from '../../provider/operator/access-rules.ts';
import { withCluster } from '../support/kubernetes.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ApiRequest } from './api-proxy.ts';
import { type OperatorDeployment, openOperatorDeployment } from './operator-deployment.ts';

const web = { name: 'Shop', redirectUris: ['https://shop.example.com/callback'], scopes: ['openid'] };

/** The right that a request needs, as `verb resource`. */
function rightOf({ method, path, isWatch }: ApiRequest): string | undefined {
  const [, namespaced] = path.split('?')[0]?.split('/namespaces/') ?? [];
  if (namespaced === undefined) return undefined;
  const [, resource, name, part] = namespaced.split('/');
  const reading = name === undefined ? 'list' : 'get';
  const verbs: Record<string, string> = {
    GET: isWatch ? 'watch' : reading,
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
  };
  return `${verbs[method]} ${[resource, part].filter(Boolean).join('/')}`;
}

const rightsOf = (rules: readonly AccessRule[]) =>
  rules.flatMap(({ resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
  );

await withCluster('the rights of the operator', (cluster) => {
  let at: OperatorDeployment;
  beforeAll(async () => {
    at = await openOperatorDeployment(cluster());
    await at.start();
  });
  afterAll(() => at.close());

  test('a generated, a rotated and a deleted client use every right, and no request needs another one', async () => {
    await at.apply('shop', web);
    await at.condition('shop', 'Ready', 'InUse');
    const before = (await at.secret('shop-oidc'))?.client_secret;
    await at.apply('shop', web, { annotations: { 'gatehouse.dev/rotate': '1' } });
    const isRotated = async () => (await at.secret('shop-oidc'))?.client_secret !== before;
    await waitFor(isRotated, { what: 'the rotation' });
    await at.remove('shop');
    await waitFor(async () => (await at.resource('shop')) === undefined, { what: 'the deletion' });
    const used = () => new Set(at.proxy.requests.flatMap((request) => rightOf(request) ?? []));
    await waitFor(() => used().has('update leases'), { what: 'the extension of the lease' });
    expect([...used()].sort()).toEqual(rightsOf([...watchedRules, ...ownRules]).sort());
  });
});
