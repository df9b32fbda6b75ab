import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { blocksOf } from '../support/page-blocks.ts';
import { waitFor } from '../support/wait-for.ts';

// The first run installs the emulator, and each run starts a Postgres and several programs.
jest.setTimeout(300_000);

interface Run {
  output(): string;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<number | null>;
}

/** All servers of the examples have their files in this folder, so it shows what is still there. */
let folder: string;
const runs: Run[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-examples-'));
  // Some servers run as another user, and that user removes their folder.
  await chmod(folder, 0o1777);
});
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.kill('SIGKILL');
    await run.ended;
  }
  await rm(folder, { recursive: true, force: true });
});

/** Starts the command that `make examples` runs. */
async function start(...args: string[]): Promise<Run> {
  const command = 'node --import tsx examples/start/main.ts';
  expect(await readFile('Makefile', 'utf8')).toContain(`\t${command} $(if $(ONCE),--once)`);
  const [, ...words] = command.split(' ');
  const child = spawn(process.execPath, [...words, ...args], {
    // Settings of a Gatehouse of one's own must have no effect.
    env: { ...process.env, TMPDIR: folder, GATEHOUSE_ISSUER: 'https://id.example.com' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const run = {
    output: () => output,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    ended: once(child, 'close').then(([code]) => code as number | null),
  };
  runs.push(run);
  return run;
}

async function processesOfExamples(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args=']);
  return stdout.split('\n').filter((line) => line.includes(folder));
}

/** Waits until no process and no file of the examples is left. Servers that were killed with their parent take a moment. */
const untilNothingIsLeft = () =>
  waitFor(async () => (await processesOfExamples()).length === 0 && (await filesLeft()).length === 0, {
    timeoutMs: 30_000,
    what: 'the end of all servers',
  });
/** tsx and node keep compiled code in folders of their own. */
const filesLeft = async () =>
  (await readdir(folder)).filter((name) => !/^(tsx-|node-compile-cache)/.test(name));

/** The part of the output after the heading of a gateway, as rows of method, path, caller and status. */
const answersAfter = (output: string, heading: string) =>
  [
    ...(output.split(heading)[1]?.split('\n\n')[1] ?? '').matchAll(
      /^ {2}(GET|POST) +(\/\S+) +(\S.*?) +(\d{3}) {2}/gm,
    ),
  ].map(([, method, path, who, status]) => `${method} ${path} ${who}: ${status}`);

const withoutAddresses = (text: string) =>
  text.replaceAll(/:\d{4,5}\b/g, ':PORT').replaceAll(/execute-api\/\w+/g, 'execute-api/ID');

describe('make examples', () => {
  test('shows 200, 401, 403 and a revoked token at both gateways, prints what the page says, and ends', async () => {
    const run = await start('--once');
    expect([await run.ended, run.output()]).toEqual([0, expect.any(String)]);
    const output = run.output();
    expect(answersAfter(output, 'nginx with auth_request')).toEqual([
      'GET /v1/contracts no token: 401',
      'GET /v1/contracts Ann, a client: 200',
      'POST /v1/contracts Ann, a client: 403',
      'POST /v1/contracts Mia, a manager: 201',
    ]);
    expect(answersAfter(output, 'API Gateway with a JWT authorizer')).toEqual([
      'GET /v1/contracts no token: 401',
      'GET /v1/contracts Ann, a client: 200',
      'POST /v1/contracts Ann, a client: 403',
      'POST /v1/contracts Mia, a manager: 201',
      'GET /v1/me Ann, a client: 200',
      'GET /v1/users Ann, a client: 403',
      'GET /v1/users Mia, a manager: 200',
    ]);
    expect(answersAfter(output, 'Mia signs out.')).toEqual([
      "GET /v1/contracts Mia's revoked token: 401",
      "GET /v1/me Mia's revoked token: 200",
      "POST /v1/contracts Mia's revoked token: 401",
      "GET /v1/users Mia's revoked token: 401",
    ]);
    const page = blocksOf(await readFile('examples/README.md', 'utf8'));
    const shown = page.find(({ language }) => language === 'text')?.text ?? '';
    expect(withoutAddresses(output)).toBe(withoutAddresses(shown));
    await untilNothingIsLeft();
  });

  test('stays until Ctrl-C, answers meanwhile, and leaves no process behind', async () => {
    const run = await start();
    await waitFor(() => run.output().includes('Ctrl-C stops everything'), {
      timeoutMs: 200_000,
      what: 'the end of the calls',
    });
    const nginx = /service: (http\S+)/.exec(run.output())?.[1] ?? '';
    expect((await fetch(`${nginx}/v1/contracts`)).status).toBe(401);
    expect((await processesOfExamples()).length).toBeGreaterThan(5);
    run.kill('SIGINT');
    expect(await run.ended).toBe(0);
    await untilNothingIsLeft();
  });

  test.each(['SIGINT', 'SIGKILL'] as const)(
    'leaves no process behind when %s ends the start',
    async (signal) => {
      const run = await start();
      await waitFor(async () => (await processesOfExamples()).length > 0, {
        timeoutMs: 60_000,
        what: 'the first server',
      });
      run.kill(signal);
      expect(await run.ended).toBe(signal === 'SIGINT' ? 130 : null);
      await untilNothingIsLeft();
    },
  );
});
