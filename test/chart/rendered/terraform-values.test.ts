import { expect, test } from '@jest/globals';
import { environmentOf, find, podsOf, renderFile } from './helm.ts';

/** What `terraform output -raw chart_values` gives: a test of terraform/platform compares the file with it. */
const fromTerraform = 'terraform/platform/tests/chart-values.yaml';
const own = { issuer: 'https://id.example.com' };

test('the chart takes the values of Terraform, and only the issuer is missing', () => {
  const rendered = renderFile(fromTerraform, own);
  expect(rendered).toMatchObject({ status: 0, error: '' });
  const [serve] = find(rendered, 'Deployment', '-serve').spec.template.spec.containers;
  expect(environmentOf(serve)).toMatchObject({
    GATEHOUSE_ISSUER: 'https://id.example.com',
    GATEHOUSE_DATABASE_PASSWORD: 'rds-iam:',
    GATEHOUSE_REDIS_PASSWORD: 'elasticache-iam:gatehouse',
    GATEHOUSE_SERVER_SECRETS: 'secretsmanager:gatehouse/server-secrets',
    GATEHOUSE_KEYS: 'secretsmanager:gatehouse/keys',
    GATEHOUSE_CLIENT_ADDRESS_HEADER: 'forwarded',
    GATEHOUSE_TRUSTED_PROXIES: '10.40.0.0/20,10.40.16.0/20,10.40.32.0/20',
  });
  expect(find(rendered, 'TargetGroupBinding').spec.targetGroupARN).toContain(':targetgroup/gatehouse/');
});

test('each process runs as the service account to which Terraform gives its role', () => {
  const rendered = renderFile(fromTerraform, { ...own, operator: { enabled: true } });
  const accounts = new Set(podsOf(rendered).map(({ spec }) => spec.serviceAccountName));
  for (const process of ['serve', 'worker', 'key-rotation', 'migrate', 'operator'])
    expect(accounts).toContain(`gatehouse-${process}`);
});
