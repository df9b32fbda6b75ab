import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readImportLine } from '../../provider/accounts/import/import-line.ts';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { runProgram } from '../support/program.ts';
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

describe('the small app', () => {
  const secret = 'a secret with /, + and = in it';
  let deployment: Deployment;
  let home = '';
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const port = await freePort();
    home = `http://localhost:${port}`;
    const { clients } = parse(textsOf('yaml')[0] ?? '') as { clients: [{ id: string }] };
    const client = {
      ...clients[0],
      secrets: [{ sha256: createHash('sha256').update(secret).digest('hex') }],
      redirectUris: [`${home}/callback`],
    };
    deployment = await startEmbedded({ clients: [client] });
    stops.push(() => deployment.stop());
    await writeFile(join(folder, 'app.mjs'), textsOf('js')[0] ?? '');
    const app = spawn(process.execPath, ['app.mjs'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ISSUER: deployment.issuer,
        PORT: String(port),
        CLIENT_ID: client.id,
        CLIENT_SECRET: secret,
      },
    });
    const closed = once(app, 'close');
    stops.unshift(async () => {
      app.kill();
      await closed;
    });
    let written = '';
    app.stdout.on('data', (text: Buffer) => {
      written += text;
    });
    await waitFor(() => written.includes(`Open ${home}`), { timeoutMs: 60_000, what: 'the app to listen' });
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  const begin = async () => {
    const away = await fetch(`${home}/sign-in`, { redirect: 'manual' });
    const cookie = away.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    return { cookie, location: away.headers.get('location') ?? '' };
  };
  const comeBack = async (url: string, cookie: string) => (await fetch(url, { headers: { cookie } })).text();

  test('signs the demo person in and shows the greeting of the page', async () => {
    const { cookie, location } = await begin();
    const agent = createUserAgent(deployment);
    const back = await signInAndAgree(agent, await agent.get(location), demo);
    const greeting = /^Hello John.*$/m.exec(answers)?.[0] ?? 'no greeting on the page';
    expect(await comeBack(back, cookie)).toContain(greeting);
  });

  test('refuses an authorization response for another browser', async () => {
    const { location } = await begin();
    const agent = createUserAgent(deployment);
    const back = await signInAndAgree(agent, await agent.get(location), demo);
    const other = await begin();
    expect(await comeBack(back, other.cookie)).toContain('That was not begun here.');
  });

  test('gets the error page for an unregistered redirect URI', async () => {
    const { location } = await begin();
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
