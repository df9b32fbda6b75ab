import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import '../../provider/oidc/runtime-notice.ts';
import { Provider } from 'oidc-provider';
import { testCertificate } from '../support/certificate.ts';
import { type Deployment, startEmbedded } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { createWorkplace, type Ended, type Workplace } from './command.ts';

// Each test starts the program, and the machine may be busy.
jest.setTimeout(120_000);

interface Rule {
  rule: string;
  state: string;
  message: string;
  remedy: string | null;
}

let place: Workplace;
let front: TlsFront;
let deployment: Deployment;
beforeAll(async () => {
  front = await startTlsFront();
  place = await createWorkplace();
  await place.write('authority.pem', front.certificate.cert);
  deployment = await startEmbedded({ issuer: () => front.origin });
  front.passTo(deployment.origins[0] ?? '');
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  await front?.stop();
  await place?.remove();
});

/** Runs the doctor on a machine that trusts the authority of the test. */
const doctor = (args: string[], input?: string, trusted = 'authority.pem') =>
  place.gatehouse(['doctor', ...args], {
    env: { NODE_EXTRA_CA_CERTS: `${place.folder}/${trusted}` },
    ...(input === undefined ? {} : { input }),
  });
/** Without the rules about times: the machine may be busy. */
const rulesOf = ({ stdout }: Ended, state: string) =>
  (JSON.parse(stdout).rules as Rule[]).filter(
    (one) => one.state === state && !['discovery-time', 'jwks-time'].includes(one.rule),
  );
const idsOf = (ended: Ended, state: string) => rulesOf(ended, state).map(({ rule }) => rule);

describe('gatehouse doctor on Gatehouse', () => {
  test.each(['http', 'rest'])(
    'finds nothing wrong, for a gateway of kind %s, with a token',
    async (gateway) => {
      const { accessToken } = await apiLogin(deployment);
      const args = ['--issuer', deployment.issuer, '--audience', deployment.audience, '--gateway', gateway];
      const ended = await doctor([...args, '--scope', 'contracts:read', '--token', '--json'], accessToken);
      expect(idsOf(ended, 'failed')).toEqual([]);
      // The name localhost leads to a private address.
      expect(idsOf(ended, 'warning')).toEqual(['public-address']);
      expect(idsOf(ended, 'skipped')).toEqual([]);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(ended.stdout)).toMatchObject({ ok: true, issuer: deployment.issuer, gateway });
      expect(ended.stdout).not.toContain(accessToken);
    },
  );

  test('prints a report for people, and skips the rules about a token without a token', async () => {
    const { code, stdout, stderr } = await doctor(['--issuer', deployment.issuer]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      'ok       issuer-match: The discovery document has the issuer https://localhost:',
    );
    expect(stdout).toContain('skipped  token-form: No token was given (--token).');
    expect(stdout).toMatch(/\n\d+ rules met, 0 not met, \d warnings?, \d+ not checked\.\n$/);
  });

  test('says that an id token is no access token, and that an issuer differs by a slash', async () => {
    const app = createTestClient(deployment, demoApps.web);
    const { id_token: idToken = '' } = await app.signIn(createUserAgent(deployment), { scope: 'openid' });
    const args = ['--issuer', `${deployment.issuer}/`, '--audience', deployment.audience, '--token'];
    const ended = await doctor(args, idToken);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/FAILED +issuer-match: .* It has a slash less at its end\.\n +To mend it: /);
    expect(ended.stdout).toMatch(/FAILED +token-audience: The token is for demo-web, not for /);
    expect(ended.stdout).toMatch(/FAILED +token-scope: .* perhaps an id token/);
    expect(ended.stderr).toMatch(/^gatehouse: API Gateway would not work with .*: 4 rules not met\n$/);
  });
});

/** A token by client credentials. `fetch` can't trust one more authority, so this is `node:https`. */
async function machineToken(url: string, ca: string): Promise<string> {
  const authorization = `Basic ${Buffer.from('app:secret').toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const call = request(url, { method: 'POST', ca, agent: false, headers });
  call.end('grant_type=client_credentials');
  const [answer] = await once(call, 'response');
  return JSON.parse(await text(answer)).access_token;
}

describe('gatehouse doctor on oidc-provider without configuration', () => {
  // It warns about what it is used without.
  beforeAll(() => {
    for (const method of ['warn', 'info'] as const) jest.spyOn(console, method).mockImplementation(() => {});
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  const stock = (issuer: string) =>
    new Provider(issuer, {
      clients: [
        {
          client_id: 'app',
          client_secret: 'secret',
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    }).callback();

  test('behind a proxy finds a key set without TLS and without Cache-Control', async () => {
    const proxy = await startTlsFront({ certificate: front.certificate });
    const server = createServer(stock(proxy.origin));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.passTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const ended = await doctor(['--issuer', proxy.origin, '--json']);
    await proxy.stop();
    server.close();
    expect(ended.code).toBe(1);
    expect(idsOf(ended, 'failed')).toContain('jwks-uri');
    expect(rulesOf(ended, 'failed').find(({ rule }) => rule === 'jwks-uri')).toMatchObject({
      message: expect.stringMatching(/^jwks_uri is http:\/\/localhost:\d+\/jwks, which is not https\.$/),
      remedy: expect.stringContaining('trust the proxy'),
    });
    expect(JSON.parse(ended.stderr).error).toMatchObject({
      code: 'validation_failed',
      problems: expect.arrayContaining([expect.stringMatching(/^jwks-uri: /)]),
    });
  });

  test('with TLS of its own finds the opaque token and the missing Cache-Control', async () => {
    const { cert, key } = front.certificate;
    const server = createTlsServer({ cert, key });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as AddressInfo;
    server.on('request', stock(`https://localhost:${port}`));
    const token = await machineToken(`https://localhost:${port}/token`, cert);
    const ended = await doctor(['--issuer', `https://localhost:${port}`, '--token', '--json'], token);
    server.close();
    server.closeAllConnections();
    expect(ended.code).toBe(1);
    expect(idsOf(ended, 'failed')).toEqual(['token-form']);
    expect(idsOf(ended, 'warning')).toEqual(['public-address', 'cache-headers']);
  });
});

test.each([
  ['has expired', { days: -1 }],
  ['is for another host name', { host: 'other.example' }],
])('gatehouse doctor finds a certificate that %s', async (message, options) => {
  const bad = await startTlsFront({ certificate: testCertificate(options) });
  await place.write('bad.pem', bad.certificate.cert);
  const ended = await doctor(['--issuer', bad.origin, '--json'], undefined, 'bad.pem');
  await bad.stop();
  expect(ended.code).toBe(1);
  expect(rulesOf(ended, 'failed').find(({ rule }) => rule === 'certificate')?.message).toContain(message);
});

test.each([
  [['--issuer', 'id.example.com'], /Give the URL of the issuer/],
  [['--issuer', 'https://a.invalid', '--gateway', 'edge'], /http, rest/],
  [['--issuer', 'https://a.invalid', '--lead', 'long'], /whole number of seconds/],
  [['--issuer', 'https://a.invalid', '--token'], /No token came by standard input.*leave --token out/],
  [[], /--issuer/],
])('gatehouse doctor %j is refused as wrong usage', async (args, message) => {
  const ended = await doctor(args);
  expect(ended).toMatchObject({ code: 64, stdout: '', stderr: expect.stringMatching(message) });
});
