import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../provider/config/load.ts';
import { environmentOf, find, podsOf, type Rendered, render, type Tree } from './helm.ts';

const all = { small: render('small'), large: render('large'), gateway: render('gateway') };
const each = Object.entries(all) as [string, Rendered][];
const containersOf = (spec: Tree): Tree[] => [...(spec.initContainers ?? []), ...spec.containers];

describe.each(each)('%s', (_name, rendered) => {
  test('every pod keeps to the restricted Pod Security standard', () => {
    expect(podsOf(rendered).length).toBeGreaterThan(2);
    for (const { name, spec } of podsOf(rendered)) {
      expect([name, spec.securityContext]).toEqual([
        name,
        expect.objectContaining({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
      ]);
      for (const container of containersOf(spec)) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.limits.memory).toMatch(/Mi$/);
      }
    }
  });

  test('only the operator gets a token for the Kubernetes API', () => {
    for (const { name, spec } of podsOf(rendered))
      expect([name, spec.automountServiceAccountToken]).toEqual([name, name.endsWith('-operator')]);
  });

  test('every setting of every container is one that Gatehouse knows, with a value that it accepts', () => {
    for (const { name, spec } of podsOf(rendered))
      for (const container of containersOf(spec)) {
        if (container.name === 'look') continue;
        const env = environmentOf(container);
        // The file of the CA is not there.
        const settings = Object.fromEntries(
          Object.entries(env)
            .filter(([key]) => key.startsWith('GATEHOUSE_'))
            .map(([key, value]) => [key, value.replace(/&sslrootcert=.*/, '')]),
        );
        expect([name, loadConfig({ env: settings }).issuer]).toEqual([name, env.GATEHOUSE_ISSUER]);
      }
  });

  test('no Secret is made, and no credential is in a variable', () => {
    expect(rendered.objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(rendered.text).not.toMatch(/secretKeyRef/);
  });

  test('selectors have only labels that never change', () => {
    const fixed = ['app.kubernetes.io/component', 'app.kubernetes.io/instance', 'app.kubernetes.io/name'];
    for (const object of rendered.objects) {
      if (object.kind === 'Deployment')
        expect(Object.keys(object.spec.selector.matchLabels).sort()).toEqual(fixed);
      if (object.kind === 'Service' && object.spec.clusterIP !== 'None')
        expect(Object.keys(object.spec.selector).sort()).toEqual(fixed);
    }
  });

  test('every NetworkPolicy rule has its reason above it', () => {
    const lines = rendered.text.split('\n');
    const policies = rendered.objects.filter(({ kind }) => kind === 'NetworkPolicy');
    const rules = lines
      .map((line, at) => ({ line, above: lines[at - 1] ?? '' }))
      .filter(({ line }) => /^ {4}- (ports|from):/.test(line));
    expect(rules.length).toBeGreaterThan(2 * policies.length);
    for (const { above } of rules) expect(above).toMatch(/^ {4}# /);
  });

  test('every pod with a Deployment, Job or CronJob has a NetworkPolicy for both directions', () => {
    const policies = rendered.objects.filter(({ kind }) => kind === 'NetworkPolicy');
    for (const { name, metadata } of podsOf(rendered)) {
      if (name.startsWith('Pod/')) continue;
      const covering = policies.filter(({ spec }) =>
        Object.entries(spec.podSelector.matchLabels).every(([key, value]) => metadata.labels[key] === value),
      );
      expect([name, covering.map(({ spec }) => spec.policyTypes)]).toEqual([name, [['Ingress', 'Egress']]]);
    }
  });

  test('only the migration and the test are hooks', () => {
    const hooks = rendered.objects.filter((object) => object.metadata.annotations?.['helm.sh/hook']);
    const names = hooks.map(({ kind, metadata }) => `${kind}/${metadata.name.split('-').at(-1)}`);
    expect(names.filter((name) => name !== 'Job/migrate').sort()).toEqual(['ConfigMap/test', 'Pod/test']);
  });
});

describe('servers', () => {
  test('the three probes ask different questions', () => {
    const { containers } = find(all.small, 'Deployment', 'serve').spec.template.spec;
    const { startupProbe, readinessProbe, livenessProbe } = containers[0];
    expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/livez', port: 'operations' },
      { path: '/readyz', port: 'operations' },
      { path: '/livez', port: 'operations' },
    ]);
    expect(startupProbe.failureThreshold * startupProbe.periodSeconds).toBeGreaterThan(30);
  });

  test('a pod has time for all steps of its end', () => {
    const shutdown = { preStopSeconds: 20, delaySeconds: 7, requestSeconds: 45 };
    const { spec } = find(render('small', { serve: { shutdown } }), 'Deployment', 'serve').spec.template;
    expect(spec.containers[0].lifecycle.preStop).toEqual({ sleep: { seconds: 20 } });
    expect(environmentOf(spec.containers[0])).toMatchObject({
      GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '7',
      GATEHOUSE_SHUTDOWN_SECONDS: '45',
    });
    expect(spec.terminationGracePeriodSeconds).toBe(20 + 7 + 45 + 10);
  });

  test('the Deployment has no number of replicas when an autoscaler has it', () => {
    expect(find(all.large, 'Deployment', 'serve').spec).not.toHaveProperty('replicas');
    expect(find(all.large, 'HorizontalPodAutoscaler').spec).toMatchObject({
      minReplicas: 3,
      maxReplicas: 20,
    });
    expect(find(all.small, 'Deployment', 'serve').spec.replicas).toBe(1);
  });

  test('pods spread over zones and nodes by the labels of the component', () => {
    const { topologySpreadConstraints } = find(all.small, 'Deployment', 'serve').spec.template.spec;
    expect(topologySpreadConstraints).toHaveLength(2);
    for (const constraint of topologySpreadConstraints)
      expect(constraint.labelSelector.matchLabels['app.kubernetes.io/component']).toBe('serve');
  });

  test('a change of the APIs starts new pods, and a change of clients does not', () => {
    const template = (values: Tree) => find(render('large', values), 'Deployment', 'serve').spec.template;
    const before = template({});
    expect(template({ roles: { CLIENT: [] } })).not.toEqual(before);
    expect(template({ clients: [{ id: 'other', name: 'Other', grants: ['client_credentials'] }] })).toEqual(
      before,
    );
  });

  test('clients and APIs are in a ConfigMap as their files', () => {
    const { data } = find(all.large, 'ConfigMap', 'config');
    expect(data['clients.yaml']).toMatch(/^clients:\n/);
    expect(data['apis.yaml']).toContain('permission: contracts:read');
    expect(data['apis.yaml']).toContain('CLIENT:');
  });

  test('the public Service leads to servers only, and the operations Service to all that listen', () => {
    const services = all.large.objects.filter(({ kind }) => kind === 'Service');
    const selected = (service: Tree) =>
      podsOf(all.large)
        .filter(({ metadata }) =>
          Object.entries(service.spec.selector).every(([key, value]) => metadata.labels?.[key] === value),
        )
        .map(({ name }) => name.replace('Deployment/gatehouse-', ''));
    expect(services.map((service) => [service.metadata.name, selected(service).sort()])).toEqual([
      ['gatehouse', ['serve']],
      ['gatehouse-operations', ['operator', 'serve', 'worker']],
    ]);
  });
});

describe('jobs', () => {
  test('servers leave the jobs to the worker when there is one', () => {
    const jobs = (rendered: Rendered) =>
      environmentOf(find(rendered, 'Deployment', 'serve').spec.template.spec.containers[0]).GATEHOUSE_JOBS;
    expect([jobs(all.large), jobs(all.small)]).toEqual(['worker', 'serve']);
  });

  test('a worker gets the server secrets only if it sends mails', () => {
    const server = {
      serverSecrets: { ref: '', existingSecret: { name: 'own', keys: { secrets: 'value' } } },
    };
    const workerWith = (settings: Record<string, string>) => {
      const { spec } = find(render('large', { ...server, settings }), 'Deployment', 'worker').spec.template;
      const volumes = JSON.stringify(spec.volumes ?? []);
      return [environmentOf(spec.containers[0]).GATEHOUSE_SERVER_SECRETS, volumes.includes('server/secrets')];
    };
    const mail = { GATEHOUSE_MAIL: 'ses', GATEHOUSE_MAIL_FROM: 'login@example.com' };
    expect(workerWith(mail)).toEqual(['file:/run/secrets/gatehouse/server/secrets', true]);
    expect(workerWith({})).toEqual([undefined, false]);
    expect(workerWith({ GATEHOUSE_MAIL: 'off' })).toEqual([undefined, false]);
  });

  test.each(['hook', 'job', 'initContainer', 'none'])('migration by %s', (mode) => {
    const rendered = render('large', { migration: { mode, serviceAccount: { name: '' } } });
    const runs = podsOf(rendered).flatMap(({ name, spec }) =>
      containersOf(spec)
        .filter(({ args }) => args?.[0] === 'migrate')
        .map((container) => [
          name.replace(/-[0-9a-f]{8}$/, ''),
          environmentOf(container).GATEHOUSE_DATABASE_PASSWORD,
        ]),
    );
    const owner = 'secretsmanager:gatehouse/database-owner';
    const expected = {
      hook: [['Job/gatehouse-migrate', owner]],
      job: [['Job/gatehouse-migrate', owner]],
      initContainer: [
        ['Deployment/gatehouse-serve', owner],
        ['Deployment/gatehouse-worker', owner],
      ],
      none: [],
    }[mode];
    expect(runs.sort()).toEqual(expected);
  });

  test('a hook needs nothing that the chart makes', () => {
    const job = find(render('large', { migration: { serviceAccount: { name: '' } } }), 'Job', 'migrate');
    expect(job.spec.template.spec.serviceAccountName).toBe('default');
    expect(JSON.stringify(job)).not.toContain('gatehouse-config');
  });

  test('another image is another Job, because a Job cannot change', () => {
    const name = (tag: string) => find(render('gateway', { image: { tag } }), 'Job').metadata.name;
    expect(name('1.0.0')).not.toBe(name('1.0.1'));
    expect(name('1.0.0')).toBe(name('1.0.0'));
  });

  test('no pod that serves has the credentials of the owner', () => {
    const serve = JSON.stringify(find(all.gateway, 'Deployment', 'serve'));
    expect(serve).toContain('"database"');
    expect(serve).not.toContain('database-owner');
  });

  test('keys are rotated by one Job at a time', () => {
    const { spec } = find(all.large, 'CronJob');
    expect(spec.concurrencyPolicy).toBe('Forbid');
    expect(spec.jobTemplate.spec.template.spec.containers[0].args).toEqual(['keys', 'rotate']);
  });
});

describe('the way in', () => {
  test('a target group is bound by its ARN, without a name and without rules for security groups', () => {
    const { apiVersion, spec } = find(all.large, 'TargetGroupBinding');
    expect(apiVersion).toBe('eks.amazonaws.com/v1');
    expect(Object.keys(spec).sort()).toEqual(['serviceRef', 'targetGroupARN', 'targetType']);
  });

  test('an issuer with a path also gets the addresses of RFC 8414', () => {
    const rendered = render('large', { ingress: { enabled: true } });
    const [rule] = find(rendered, 'Ingress').spec.rules;
    expect(rule.host).toBe('login.example.com');
    expect(rule.http.paths.map(({ path }: Tree) => path)).toEqual([
      '/id',
      '/.well-known/oauth-authorization-server/id',
      '/.well-known/openid-configuration/id',
    ]);
  });

  test('a route of an ALB gets targets by address and asks for readiness', () => {
    expect(find(all.gateway, 'HTTPRoute').spec.hostnames).toEqual(['login.example.com']);
    expect(find(all.gateway, 'TargetGroupConfiguration').spec.defaultConfiguration).toMatchObject({
      targetType: 'ip',
      healthCheckConfig: { healthCheckPath: '/readyz', healthCheckPort: '9090' },
    });
  });
});

describe('the operator', () => {
  test('has rights in the watched namespaces only, and in all only if asked', () => {
    const bindings = (rendered: Rendered) =>
      rendered.objects
        .filter(({ kind }) => kind.endsWith('RoleBinding'))
        .map(({ kind, metadata }) => `${kind} in ${metadata.namespace}`)
        .sort();
    expect(bindings(all.large)).toEqual(['RoleBinding in apps', 'RoleBinding in undefined']);
    expect(bindings(all.gateway)).toEqual(['ClusterRoleBinding in undefined', 'RoleBinding in undefined']);
    const own = render('large', { operator: { watchNamespaces: [] } });
    expect(bindings(own)).toEqual(['RoleBinding in login', 'RoleBinding in undefined']);
  });

  test('the definition stays at an uninstall unless that is switched off', () => {
    const annotations = (rendered: Rendered) =>
      find(rendered, 'CustomResourceDefinition').metadata.annotations?.['helm.sh/resource-policy'];
    expect([annotations(all.large), annotations(all.gateway)]).toEqual(['keep', undefined]);
    expect(all.small.text).not.toContain('CustomResourceDefinition');
  });
});

describe('watching', () => {
  test('every alert has a runbook_url below the value, and can be left out', () => {
    const rulesOf = (rendered: Rendered): Tree[] =>
      find(rendered, 'PrometheusRule').spec.groups.flatMap(({ rules }: Tree) => rules);
    const rules = rulesOf(all.large);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, annotations } of rules)
      expect(annotations.runbook_url).toBe(
        `https://docs.example.com/gatehouse/operate.md#${alert.toLowerCase()}`,
      );
    const fewer = rulesOf(
      render('large', { metrics: { prometheusRule: { disabledAlerts: ['GatehouseDown'] } } }),
    );
    expect(fewer.map(({ alert }) => alert)).toEqual(rules.slice(1).map(({ alert }) => alert));
  });

  test('the text of an alert is that of the file, with its own placeholders', () => {
    const file = readFileSync('charts/gatehouse/files/alerts.yaml', 'utf8');
    expect(file).toContain('{{ $labels.namespace }}');
    expect(all.large.text).toContain('{{ $labels.namespace }}');
  });

  test('the dashboard has the label by which Grafana finds it', () => {
    const { metadata, data } = find(all.large, 'ConfigMap', 'dashboard');
    expect(metadata.labels.grafana_dashboard).toBe('1');
    expect(JSON.parse(data['gatehouse.json']).title).toBe('Gatehouse');
  });

  test('the monitor selects the operations Service', () => {
    const { spec } = find(all.large, 'ServiceMonitor');
    expect(find(all.large, 'Service', 'operations').metadata.labels).toMatchObject(spec.selector.matchLabels);
  });
});
