import { dirname } from 'node:path';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import { openKubernetes, openPorts } from '../../provider/compose/adapters.ts';
import { type ComposeOperatorDeps, composeOperator } from '../../provider/compose/compose-operator.ts';
import type { Ports } from '../../provider/compose/ports.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { type Clock, systemClock } from '../../provider/lib/clock.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import type { ClientResource } from '../../provider/ports/kubernetes.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { FleetDeployment } from '../support/deployment.ts';
import { type Cluster, create } from '../support/kubernetes.ts';
import { type Program, runProgram } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { type Gate, openGate } from './gate.ts';

export interface RunningOperator {
  log: string[];
  metrics(): Promise<string>;
  /** How many resources are ready. */
  state(): Promise<{ ready: number }>;
  /** How often a resource was looked at with success. */
  looks(): Promise<number>;
  stop(): Promise<void>;
}

export interface OperatorStart {
  settings?: Record<string, string>;
  clock?: Clock;
  times?: ComposeOperatorDeps['times'];
  /** After this time the operator lists everything again. Default: 60. */
  watchSeconds?: number;
}

/** Two namespaces of a cluster, a database, and operators between them, each behind proxies. */
export interface OperatorDeployment {
  namespace: string;
  other: string;
  /** In front of the API server, for the operators only. */
  proxy: ApiProxy;
  /** In front of Postgres, for the operators only. */
  postgres: Gate;
  ports: Ports;
  start(options?: OperatorStart): Promise<RunningOperator>;
  /** Starts `gatehouse operator` as a process. */
  startProgram(env?: Record<string, string>): Program;
  /** Creates or replaces the spec of a resource, as `kubectl apply` does. Gives the answer. */
  apply(
    name: string,
    spec: object,
    options?: { namespace?: string; annotations?: object },
  ): Promise<ClientResource>;
  resource(name: string, namespace?: string): Promise<ClientResource | undefined>;
  remove(name: string, namespace?: string): Promise<void>;
  /** Waits for a condition with this reason, for the current generation of the spec. Gives its message. */
  condition(name: string, type: string, reason: string, namespace?: string): Promise<string>;
  secret(name: string): Promise<Record<string, string> | undefined>;
  writeSecret(name: string, data: Record<string, string>): Promise<void>;
  removeSecret(name: string): Promise<void>;
  close(): Promise<void>;
}

const issuer = 'https://id.example.com';
export const audience = `${issuer}/api`;

/** @param servers servers whose database the operators use. Otherwise there is a database and no server. */
export async function openOperatorDeployment(
  cluster: Cluster,
  servers?: Pick<FleetDeployment, 'databaseUrl' | 'issuer' | 'audience'>,
): Promise<OperatorDeployment> {
  const url = servers?.databaseUrl;
  const database = url === undefined ? await createTestDatabase() : { url, drop: async () => {} };
  const [proxy, postgres] = [await startApiProxy(cluster), await openGate(database.url)];
  const [own, namespace, other] = [
    await cluster.createNamespace(),
    await cluster.createNamespace(),
    await cluster.createNamespace(),
  ];
  const kubeconfig = await cluster.operatorKubeconfig(own, [namespace, other], proxy.url);
  const settings = {
    GATEHOUSE_ISSUER: servers?.issuer ?? issuer,
    GATEHOUSE_AUDIENCE: servers?.audience ?? audience,
    GATEHOUSE_OPERATOR_NAMESPACES: `${namespace},${other}`,
    GATEHOUSE_OPERATOR_CLAIMS: `${namespace}=*;${other}=*`,
    GATEHOUSE_EVENTS_SINK: 'none',
    GATEHOUSE_KEYS: 'file:unused',
  };
  const quiet = createLogger({ level: 'error' });
  const direct = loadConfig({ env: { ...settings, GATEHOUSE_DATABASE_URL: database.url } });
  const ports = await openPorts(direct, { clock: systemClock, logger: quiet });
  await ports.schema.migrate();
  const running = new Set<RunningOperator>();
  const programs: Program[] = [];
  const { api } = cluster;
  const paths = {
    resource: (name: string, where = namespace) =>
      `/apis/gatehouse.dev/v1alpha1/namespaces/${where}/oidcclients/${name}`,
    secret: (name: string) => `/api/v1/namespaces/${namespace}/secrets/${name}`,
  };
  const read = async (path: string) => {
    const answer = await api.call({ method: 'GET', path });
    return answer.status === 404 ? undefined : answer.body;
  };

  const deployment: OperatorDeployment = {
    namespace,
    other,
    proxy,
    postgres,
    ports,
    start: async (options = {}) => {
      const started = await startOperator({
        kubeconfig,
        env: { ...settings, GATEHOUSE_DATABASE_URL: postgres.url },
        options,
      });
      running.add(started);
      return started;
    },
    startProgram: (more = {}) => {
      const env = {
        ...settings,
        GATEHOUSE_DATABASE_URL: postgres.url,
        GATEHOUSE_OPS_PORT: '0',
        KUBECONFIG: kubeconfig,
        ...more,
      };
      const program = runProgram(['operator'], { env, cwd: dirname(kubeconfig) });
      programs.push(program);
      return program;
    },
    apply: async (name, spec, { namespace: where = namespace, annotations = {} } = {}) => {
      const body = {
        apiVersion: 'gatehouse.dev/v1alpha1',
        kind: 'OIDCClient',
        metadata: { name, annotations },
        spec,
      };
      const answer = await api.call({
        method: 'PATCH',
        path: `${paths.resource(name, where)}?fieldManager=test&force=true&fieldValidation=Strict`,
        body,
        contentType: 'application/apply-patch+yaml',
      });
      if (answer.status >= 300) throw new Error((answer.body as { message: string }).message);
      return answer.body as ClientResource;
    },
    resource: async (name, where) => (await read(paths.resource(name, where))) as ClientResource | undefined,
    remove: async (name, where) => {
      await api.call({ method: 'DELETE', path: paths.resource(name, where) });
    },
    condition: async (name, type, reason, where) => {
      const found = await waitFor(
        async () => {
          const { metadata, status } = (await deployment.resource(name, where)) ?? {};
          const condition = status?.conditions?.find((one) => one.type === type);
          if (condition?.reason === reason && condition.observedGeneration === metadata?.generation)
            return condition;
          throw new Error(JSON.stringify(status));
        },
        { what: `${type} ${reason} of ${name}`, timeoutMs: 20_000, intervalMs: 50 },
      );
      return found.message;
    },
    secret: async (name) => {
      const secret = (await read(paths.secret(name))) as { data?: Record<string, string> } | undefined;
      return (
        secret &&
        Object.fromEntries(
          Object.entries(secret.data ?? {}).map(([key, value]) => [
            key,
            Buffer.from(value, 'base64').toString(),
          ]),
        )
      );
    },
    writeSecret: async (name, data) => {
      await api.call({ method: 'DELETE', path: paths.secret(name) });
      await create(api, `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData: data });
    },
    removeSecret: async (name) => {
      await api.call({ method: 'DELETE', path: paths.secret(name) });
    },
    close: async () => {
      await Promise.all([...running].map((one) => one.stop()));
      for (const program of programs) program.kill('SIGKILL');
      await Promise.all(ports.dependencies.map((dependency) => dependency.close()));
      await proxy.close();
      await postgres.close();
      await database.drop();
    },
  };
  return deployment;
}

async function startOperator({
  kubeconfig,
  env,
  options: { settings = {}, clock = systemClock, times, watchSeconds = 60 },
}: {
  kubeconfig: string;
  env: Record<string, string>;
  options: OperatorStart;
}): Promise<RunningOperator> {
  const config = loadConfig({ env: { ...env, ...settings } });
  const log: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } });
  const metrics = createMetrics({ version: 'test' });
  const opened = await openKubernetes({
    namespaces: config.operatorNamespaces,
    kubeconfig,
    now: () => clock.now(),
    onWatchChange: (change) => logger.info({ ...change }, 'watch'),
    cycleSeconds: watchSeconds,
    patienceSeconds: 1,
    maxPauseMs: 500,
  });
  const ports = await openPorts({ ...config, eventsSink: 'none' }, { clock, logger });
  const { component, measure } = composeOperator({
    config,
    accessModel: demoAccessModel(config.audience ?? audience),
    ports,
    clock,
    logger,
    tracing: undefined,
    metrics,
    kubernetes: opened.kubernetes,
    leases: opened.leases,
    namespaces: opened.namespaces,
    phase: () => 'serving',
    times: { leaseMs: 1500, sweepMs: 300, propagationMs: 100, deletionMs: 2000, takenMs: 300, ...times },
  });
  await component.start?.();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await component.stop?.();
    await Promise.all(ports.dependencies.map((dependency) => dependency.close()));
  };
  const sampleOf = async (name: string) => {
    const lines = (await metrics.render()).body.split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? 0);
  };
  return {
    log,
    metrics: async () => (await metrics.render()).body,
    state: async () => {
      measure();
      return { ready: await sampleOf('gatehouse_operator_resources{state="ready"}') };
    },
    looks: () => sampleOf('gatehouse_operator_looks_total{outcome="done"}'),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
