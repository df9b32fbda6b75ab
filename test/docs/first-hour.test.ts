import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readImportLine } from '../../provider/accounts/import/import-line.ts';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { runProgram } from '../support/program.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

const pageText = await readFile('docs/first-hour.md', 'utf8');
const blocks = blocksOf(pageText);
const textsOf = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);
const answers = textsOf('text').join('');

/** The answer that the page shows right after the given command line. */
function answerTo(line: string, nth = 0): string {
  const typed = blocks.flatMap(({ language, text }, index) =>
    language === 'sh' && text.includes(line) ? [index] : [],
  );
  const answer = blocks[(typed[nth] ?? Number.NaN) + 1];
  if (answer?.language !== 'text') throw new Error(`The page shows no answer to: ${line}`);
  return answer.text;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-first-hour-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a command of the page. Returns its output as a terminal would show it, with the problems last. */
async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const program = runProgram(args, { env, cwd: folder });
  const code = await program.ended;
  return `${program.stdout()}${program.stderr()}exit ${code}\n`;
}

describe('the answers on the page', () => {
  test.each([
    [0, 0],
    [1, 1],
  ])('are right for clients file %i', async (nth) => {
    await writeFile(join(folder, 'clients.yaml'), textsOf('yaml')[nth] ?? '');
    const shown = answerTo('gatehouse clients validate -f clients.yaml', nth);
    expect(await run(['clients', 'validate', '-f', 'clients.yaml'])).toBe(shown);
  });

  test('are right for settings with three mistakes', async () => {
    const line = textsOf('sh').find((text) => text.includes('gatehouse config check')) ?? '';
    const env = Object.fromEntries(
      [...line.matchAll(/(GATEHOUSE_\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value ?? '']),
    );
    expect(Object.keys(env)).toHaveLength(3);
    expect(await run(['config', 'check'], env)).toBe(answerTo('gatehouse config check'));
  });

  test('are right for an import with two bad lines', async () => {
    const quick = (textsOf('js')[1] ?? '').replaceAll(/100_?000/g, '1000');
    await writeFile(join(folder, 'make-accounts.mjs'), quick);
    const lines = (await output(['make-accounts.mjs'])).trimEnd().split('\n');
    const deps = { roles: new Set(demo.roles), firebaseHash: undefined };
    const told = lines.flatMap((line, index) => {
      const read = readImportLine(line, deps);
      if (!('mistakes' in read)) return [];
      return read.mistakes.map(({ field, message }) => `line ${index + 1}: ${field}: ${message}`);
    });
    const shown = answerTo('accounts.jsonl --dry-run').split('\n');
    expect(told).toHaveLength(2);
    expect(told).toEqual(shown.slice(0, 2));
    expect(shown[2]).toContain(`${lines.length} lines: ${lines.length - told.length} imported`);
  });

  test('contain only log messages, metrics and events that the documentation describes', async () => {
    const [operate, events] = await Promise.all(
      ['operate', 'events'].map((name) => readFile(`docs/${name}.md`, 'utf8')),
    );
    const found = (pattern: RegExp) => [...answers.matchAll(pattern)].map(([, name = '']) => name);
    const messages = found(/"msg":"([^"]+)"/g);
    const metrics = found(/^(gatehouse_\w+)\{/gm);
    const types = found(/"type":"([^"]+)"/g);
    expect([messages, metrics, types].map(({ length }) => length > 2)).toEqual([true, true, true]);
    for (const name of [...messages, ...metrics]) expect(operate).toContain(`| \`${name}\` |`);
    for (const type of types) expect(events).toContain(`## \`${type}\``);
  });
});

/** The output of a script in the folder. */
async function output(args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: folder });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.join(' ')} exited with ${code}`);
  return written;
}

/** The app of the page, which runs until `stop`. */
interface App {
  home: string;
  stop(): Promise<void>;
}

/** Starts the app of the page with these variables. Resolves when it listens; rejects with its output if it ends before. */
async function startApp(env: Record<string, string>): Promise<App> {
  await writeFile(join(folder, 'app.mjs'), textsOf('js')[0] ?? '');
  const app = spawn(process.execPath, ['app.mjs'], { cwd: folder, env: Object.assign({}, process.env, env) });
  const home = `http://localhost:${env.PORT}`;
  let written = '';
  for (const stream of [app.stdout, app.stderr])
    stream.on('data', (text: Buffer) => {
      written += text;
    });
  const closed = once(app, 'close');
  const isOpen = () => written.includes(`Open ${home}`);
  const opened = waitFor(() => isOpen() || app.exitCode !== null, {
    timeoutMs: 60_000,
    what: 'the app to listen',
  });
  await opened;
  if (!isOpen()) throw new Error(`the app ended:\n${written}`);
  return {
    home,
    stop: async () => {
      app.kill();
      await closed;
    },
  };
}

const begin = async ({ home }: App) => {
  const away = await fetch(`${home}/sign-in`, { redirect: 'manual' });
  const cookie = away.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { cookie, location: away.headers.get('location') ?? '' };
};
const comeBack = async (url: string, cookie: string) => (await fetch(url, { headers: { cookie } })).text();
const greeting = /^Hello John.*$/m.exec(answers)?.[0] ?? 'no greeting on the page';

describe('a person whose port 8080 is taken', () => {
  let deployment: Deployment;
  let other: Server;
  beforeAll(async () => {
    deployment = await startEmbedded();
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
  }, 120_000);
  afterAll(async () => {
    await new Promise((resolve) => other.close(resolve));
    await deployment.stop();
  });

  test('sees the error that the page names', async () => {
    const { port } = other.address() as AddressInfo;
    const failed = startApp({ ISSUER: deployment.issuer, PORT: String(port) });
    await expect(failed).rejects.toThrow('EADDRINUSE');
    expect(pageText).toContain('Node ends with `EADDRINUSE`');
  });

  test('signs in at the demo client on another port, as the page says', async () => {
    const app = await startApp({ ISSUER: deployment.issuer, PORT: String(await freePort()) });
    try {
      const { cookie, location } = await begin(app);
      const agent = createUserAgent(deployment);
      const back = await signInAndAgree(agent, await agent.get(location), demo);
      expect(await comeBack(back, cookie)).toContain(greeting);
    } finally {
      await app.stop();
    }
  });

  test('can use every demo client that has a redirect URI on another port, also from its page (CORS)', async () => {
    const { programs, issuer, fetch: call } = deployment;
    const shown = programs[0]?.output() ?? '';
    expect(shown.match(/redirect URI http:\/\/localhost:8080\/\S+ \(any port\)/g)).toHaveLength(2);
    for (const { id, ...app } of [demoApps.web, demoApps.spa, demoApps.firstParty]) {
      const redirectUri = app.redirectUri.replace('8080', '49152');
      const client = createTestClient(deployment, Object.assign({ id }, app, { redirectUri }));
      expect((await client.signIn(createUserAgent(deployment))).id_token).toBeDefined();
    }
    const origin = 'http://localhost:49152';
    for (const path of ['/oauth2/token', '/auth/login']) {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const answer = await call(`${issuer}${path}`, { method: 'OPTIONS', headers });
      expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, origin]);
    }
    const token = await call(`${issuer}/oauth2/token`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'demo-spa', refresh_token: 'x' }),
    });
    expect(token.headers.get('access-control-allow-origin')).toBe(origin);
  });
});

describe('the small app', () => {
  const secret = 'a secret with /, + and = in it';
  let deployment: Deployment;
  let app: App;

  beforeAll(async () => {
    const port = await freePort();
    const { clients } = parse(textsOf('yaml')[0] ?? '') as { clients: [{ id: string }] };
    const client = {
      ...clients[0],
      secrets: [{ sha256: createHash('sha256').update(secret).digest('hex') }],
      redirectUris: [`http://localhost:${port}/callback`],
    };
    deployment = await startEmbedded({ clients: [client] });
    app = await startApp({
      ISSUER: deployment.issuer,
      PORT: String(port),
      CLIENT_ID: client.id,
      CLIENT_SECRET: secret,
    });
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
    await deployment?.stop();
  });

  test('signs the demo person in and shows the greeting of the page', async () => {
    const { cookie, location } = await begin(app);
    const agent = createUserAgent(deployment);
    const back = await signInAndAgree(agent, await agent.get(location), demo);
    expect(await comeBack(back, cookie)).toContain(greeting);
  });

  test('refuses an authorization response for another browser', async () => {
    const { location } = await begin(app);
    const agent = createUserAgent(deployment);
    const back = await signInAndAgree(agent, await agent.get(location), demo);
    const other = await begin(app);
    expect(await comeBack(back, other.cookie)).toContain('That was not begun here.');
  });

  test('gets the error page for an unregistered redirect URI', async () => {
    const { location } = await begin(app);
    const elsewhere = new URL(location);
    elsewhere.searchParams.set('redirect_uri', 'http://localhost:1/callback');
    const { status, html } = await createUserAgent(deployment).get(elsewhere.href);
    expect(status).toBe(400);
    const shown = textsOf('text').find((text) => text.startsWith('Something went wrong')) ?? '';
    const facts = shown
      .split('\n')
      .flatMap((line) => /^(?:What was wrong|Error code) +(.*)/.exec(line)?.[1] ?? []);
    expect(facts).toHaveLength(2);
    for (const fact of facts) expect(html.replaceAll('&#39;', "'")).toContain(fact);
  });
});
