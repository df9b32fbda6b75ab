import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { digestOf } from '../../provider/operator/secret-plan.ts';
import { withCluster } from '../support/kubernetes.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { type OperatorDeployment, openOperatorDeployment } from './operator-deployment.ts';

const page = readFileSync('docs/clients.md', 'utf8');
const section = /\n## By kubectl apply\n(?<text>[\s\S]*?)\n## /.exec(page)?.groups?.text ?? '';

test('docs/clients.md explains every reason of a condition', () => {
  const sources = readdirSync('provider/operator').map((name) =>
    readFileSync(`provider/operator/${name}`, 'utf8'),
  );
  const given = sources.flatMap((text) =>
    [...text.matchAll(/\b(?:found|missing|wait)\(\s*'(?<reason>[A-Z]\w+)'/g)].map(
      ({ groups }) => groups?.reason ?? '',
    ),
  );
  expect(given.length).toBeGreaterThan(10);
  expect(given.filter((reason) => !section.includes(`\`${reason}\``))).toEqual([]);
});

await withCluster('the resources of docs/clients.md', (cluster) => {
  let at: OperatorDeployment;
  beforeAll(async () => {
    at = await openOperatorDeployment(cluster());
    await at.start();
  });
  afterAll(() => at.close());

  const resources = blocksOf(section)
    .filter(({ language }) => language === 'yaml')
    .map(({ text }) => parse(text) as { metadata: { name: string }; spec: object });

  test('the first one gets a secret under the listed keys, the second one takes an existing Secret', async () => {
    const [storefront, report] = resources;
    expect([storefront?.metadata.name, report?.metadata.name]).toEqual(['storefront', 'nightly-report']);
    await at.apply('storefront', storefront?.spec ?? {});
    await at.condition('storefront', 'Ready', 'InUse');
    const keys = Object.keys((await at.secret('storefront-oidc')) ?? {});
    const rows = /\| key \| value \|\n(?<rows>(?:\|.*\n)+)/.exec(section)?.groups?.rows ?? '';
    const listed = rows.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([\w-]+)`/g)]);
    expect(listed.map(([, key]) => key).sort()).toEqual(keys.sort());

    const password = 'f'.repeat(64);
    await at.apply('nightly-report', report?.spec ?? {});
    await at.condition('nightly-report', 'SecretReady', 'SecretNotFound');
    await at.writeSecret('nightly-report', { password });
    await at.condition('nightly-report', 'Ready', 'InUse');
    const stored = await at.ports.clients.find(`${at.namespace}.nightly-report`);
    expect(stored?.secrets).toEqual([{ sha256: digestOf(password) }]);
  });

  test('kubectl get oc shows the client id and whether it is ready', async () => {
    await at.condition('storefront', 'Ready', 'InUse');
    const answer = await cluster().api.call({
      method: 'GET',
      path: `/apis/gatehouse.dev/v1alpha1/namespaces/${at.namespace}/oidcclients/storefront`,
      accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
    });
    const { columnDefinitions, rows } = answer.body as {
      columnDefinitions: { name: string; priority: number }[];
      rows: { cells: unknown[] }[];
    };
    const shown = columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);
    expect(shown).toEqual(['Name', 'Client ID', 'Ready', 'Reason', 'Age']);
    expect(rows[0]?.cells.slice(0, 4)).toEqual(['storefront', `${at.namespace}.storefront`, 'True', 'InUse']);
  });
});
