import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { waitFor } from '../support/wait-for.ts';
import { type OtlpCollector, type SentSpan, startCollector } from './otlp-collector.ts';

const run = promisify(execFile);

describe('traces', () => {
  let deployment: Deployment;
  let collector: OtlpCollector;
  beforeAll(async () => {
    collector = await startCollector();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_SERVICE_NAME: 'sign-in',
    };
    deployment = await startServers({ processes: 1, env });
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await collector?.close();
  });

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const parentSpanId = 'b7ad6b7169203331';
  const spanOf = async (wanted: string): Promise<SentSpan> => {
    const found = () => collector.spans().filter(({ name }) => name === wanted);
    await waitFor(() => found().length > 0, { what: `the span ${wanted}` });
    return found()[0] as SentSpan;
  };

  test('of a sign-in have one request span, a child of the caller’s span, with child spans of stores and hashing', async () => {
    const { email, password } = demo;
    const headers = { traceparent: `00-${traceId}-${parentSpanId}-01` };
    const answer = await postJson(deployment, '/auth/login', { email, password }, headers);
    expect(answer.status).toBe(200);
    const server = await spanOf('POST /auth/login');
    expect(server).toMatchObject({ traceId, parentSpanId, kind: 2, failed: false });
    expect(server.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/auth/login',
      'http.response.status_code': '200',
    });
    const spans = collector.spans().filter((span) => span.traceId === traceId);
    const childrenOf = (id: string | undefined) =>
      spans.filter((span) => span.parentSpanId === id).map(({ name }) => name);
    const idOf = (wanted: string) => spans.find(({ name }) => name === wanted)?.spanId;
    expect(childrenOf(server.spanId)).toEqual(
      expect.arrayContaining([
        'postgres accounts.findByEmail',
        'postgres unitOfWork.recordSignIn',
        'redis families.open',
        'hash password',
      ]),
    );
    expect(childrenOf(idOf('hash password'))).toEqual(['hash password: work']);
    expect(new Set(collector.services())).toEqual(new Set(['sign-in']));
  });

  test('of the stores in a transaction are children of its span', async () => {
    const { refreshToken } = await apiLogin(deployment);
    const logoutTrace = '7bf92f3577b34da6a3ce929d0e0e4737';
    const headers = { traceparent: `00-${logoutTrace}-${parentSpanId}-01` };
    await postJson(deployment, '/auth/logout', { refreshToken }, headers);
    await spanOf('POST /auth/logout');
    const spans = collector.spans().filter((span) => span.traceId === logoutTrace);
    const transaction = spans.find(({ name }) => name === 'postgres unitOfWork.run')?.spanId;
    const children = spans.filter(({ parentSpanId }) => parentSpanId === transaction);
    expect(children.map(({ name }) => name)).toEqual(['postgres denylist.revoke', 'postgres outbox.append']);
  });

  test('of a request without a caller begin with the request span', async () => {
    await deployment.fetch(`${deployment.issuer}/.well-known/jwks.json?secret=hush`);
    const span = await spanOf('GET /.well-known/jwks.json');
    expect(span.parentSpanId).toBe('');
    expect(span.traceId).not.toBe(traceId);
  });

  test('have their ids in the log', async () => {
    const { email, password } = demo;
    const other = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${other}-${parentSpanId}-01` };
    await postJson(deployment, '/auth/login', { email, password }, headers);
    await waitFor(() => deployment.programs[0]?.stdout().includes(`"traceId":"${other}"`));
  });

  test('contain no secret, no address, no query and no account id', async () => {
    const { accessToken, refreshToken } = await apiLogin(deployment);
    const before = collector.spans().length;
    await postJson(deployment, '/auth/refresh', { refreshToken });
    await waitFor(() => collector.spans().length > before && collector.text().includes('/auth/refresh'));
    const text = collector.text();
    for (const secret of [
      demo.password,
      demo.email,
      accessToken,
      refreshToken,
      'hush',
      '127.0.0.1',
      'user_',
      'argon2',
    ])
      expect(text).not.toContain(secret);
  });
});

/** Starts tracing with each set of variables in one process. Returns for each whether it is on and which modules are loaded. */
async function startedWith(sets: Record<string, string>[]) {
  const script = `
    import Module from 'node:module';
    await import('./provider/bin/start.ts');
    const { startTracing } = await import('./provider/lib/start-tracing.ts');
    const [on, said] = [[], []];
    const logger = { info: () => {}, warn: (fields, text) => said.push(text) };
    for (const environment of ${JSON.stringify(sets)}) {
      const tracing = await startTracing({ environment, version: '0', clock: { now: () => 0 }, logger });
      on.push(tracing !== undefined);
    }
    const loaded = Object.keys(Module._cache).filter((path) => /@opentelemetry.(?!api)/.test(path)).length;
    process.stdout.write(JSON.stringify({ on, loaded, said }), () => process.exit());`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as { on: boolean[]; loaded: number; said: string[] };
}

const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:9';

test('the SDK is not loaded without the variable or if traces are off', async () => {
  const off = [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  ];
  expect(await startedWith(off)).toEqual({
    on: off.map(() => false),
    loaded: 0,
    said: ['traces are off: only the protocol http/protobuf is spoken'],
  });
}, 60_000);

test('the SDK is loaded with the variable', async () => {
  const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = `${OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`;
  const { on, loaded } = await startedWith([{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT }]);
  expect(on).toEqual([true]);
  expect(loaded).toBeGreaterThan(10);
}, 60_000);
