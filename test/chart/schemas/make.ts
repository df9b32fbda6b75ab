/**
 * Makes the schemas that kubeconform reads from a real API server's own document. Run it against a cluster that has the
 * definitions of the Gateway API, of the AWS Load Balancer Controller and of the Prometheus operator:
 *
 *     kubectl get --raw /openapi/v2 | node --import tsx test/chart/schemas/make.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the chart makes, apart from our own OIDCClient. */
const kinds = [
  'v1/ConfigMap',
  'v1/Pod',
  'v1/Service',
  'v1/ServiceAccount',
  'apiextensions.k8s.io/v1/CustomResourceDefinition',
  'apps/v1/Deployment',
  'autoscaling/v2/HorizontalPodAutoscaler',
  'batch/v1/CronJob',
  'batch/v1/Job',
  'elbv2.k8s.aws/v1beta1/TargetGroupBinding',
  'gateway.k8s.aws/v1beta1/TargetGroupConfiguration',
  'gateway.networking.k8s.io/v1/HTTPRoute',
  'monitoring.coreos.com/v1/PrometheusRule',
  'monitoring.coreos.com/v1/ServiceMonitor',
  'networking.k8s.io/v1/Ingress',
  'networking.k8s.io/v1/NetworkPolicy',
  'policy/v1/PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1/ClusterRole',
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1/Role',
  'rbac.authorization.k8s.io/v1/RoleBinding',
];

interface Schema {
  [keyword: string]: unknown;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

const kept = new Set(
  'type enum required pattern minimum maximum minLength maxLength minItems maxItems'.split(' '),
);
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

const { definitions } = JSON.parse(readFileSync(0, 'utf8')) as { definitions: Record<string, Schema> };
const folder = import.meta.dirname;
const shared: Record<string, Schema> = {};

/** The same schema without descriptions and without room for unknown fields. Named parts go to `shared`. */
function strict(schema: Schema): Schema {
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string')
    return { type: ['string', 'integer', 'null'] };
  if (schema['x-kubernetes-preserve-unknown-fields']) return {};
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.replace('#/definitions/', '');
    if (name === quantity) return { type: ['string', 'number', 'null'] };
    if (!(name in shared)) {
      shared[name] = {};
      shared[name] = strict(definitions[name] ?? {});
    }
    return { $ref: `definitions.json#/definitions/${name}` };
  }
  const result: Schema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties') result.properties = mapped(value as Record<string, Schema>);
    else if (keyword === 'items' || (keyword === 'additionalProperties' && typeof value === 'object'))
      result[keyword] = strict(value as Schema);
    else if (kept.has(keyword)) result[keyword] = value;
  }
  if (result.properties !== undefined) result.additionalProperties = false;
  if (result.type !== undefined && result.type !== 'object') result.type = [result.type, 'null'];
  return result;
}

const mapped = (properties: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, strict(schema)]));

for (const wanted of kinds) {
  const found = Object.values(definitions).find((definition) =>
    definition['x-kubernetes-group-version-kind']?.some(
      ({ group, version, kind }) => [group, version, kind].filter(Boolean).join('/') === wanted,
    ),
  );
  if (found === undefined) throw new Error(`The API has no ${wanted}. Install its definition first.`);
  writeFileSync(
    join(folder, `${wanted.replaceAll('/', '-').toLowerCase()}.json`),
    `${JSON.stringify(strict(found))}\n`,
  );
}
writeFileSync(join(folder, 'definitions.json'), `${JSON.stringify({ definitions: shared })}\n`);
