import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';

/** Runs a script with a logger on standard output. `requests(n)` logs n requests. The output is read by `read`. */
function runWithLogger(script: string) {
  const program = `
    import fs from 'node:fs';
    const { writeSync } = fs;
    let writes = 0;
    fs.writeSync = (fd, ...rest) => {
      if (fd === 1) writes += 1;
      return writeSync(fd, ...rest);
    };
    const { createLogger } = await import('./provider/lib/logger.ts');
    const logger = createLogger({ level: 'debug' });
    // As the command line does. With a pipe, this makes writes fail while the pipe is full.
    process.stdout.on('error', () => {});
    let number = 0;
    const requests = (count) => {
      for (let left = count; left > 0; left -= 1) logger.info({ number: number++ }, 'request');
    };
    ${script}
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program]);
  const written = { stdout: '', stderr: '' };
  const read = (name: 'stdout' | 'stderr') =>
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  read('stderr');
  const lines = (): Record<string, unknown>[] =>
    written.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return { child, ended: once(child, 'close'), read, lines, errors: () => written.stderr };
}

/** Runs the script to its end, and gives the messages of its lines, with their numbers. */
async function messagesOf(script: string): Promise<string[]> {
  const { ended, read, lines } = runWithLogger(script);
  read('stdout');
  await ended;
  return lines().map(({ msg, number }) => (number === undefined ? `${msg}` : `${msg} ${number}`));
}

const threeRequests = ['request 0', 'request 1', 'request 2'];

describe('log lines on standard output', () => {
  test('of requests are written together', async () => {
    const { ended, read, lines, errors } = runWithLogger(`
      requests(30);
      process.on('exit', () => console.error('writes:', writes));
    `);
    read('stdout');
    await ended;
    expect(lines()).toHaveLength(30);
    expect(errors()).toContain('writes: 1\n');
  }, 30_000);

  test('of requests do not wait for others', async () => {
    const { child, ended, read, lines } = runWithLogger('requests(1); setInterval(() => {}, 1000);');
    read('stdout');
    try {
      await waitFor(() => lines().length === 1, { what: 'the line' });
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }, 30_000);

  test.each([
    ['ends', ''],
    ['calls process.exit()', 'process.exit(1);'],
    ['ends by an uncaught error', "throw new Error('not caught');"],
    ['ends by a rejection without a handler', "Promise.reject(new Error('not caught'));"],
    [
      'stops by SIGTERM',
      "process.on('SIGTERM', () => process.exit()); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);",
    ],
  ])(
    'of requests are not lost when the process %s',
    async (_, ending) => {
      expect(await messagesOf(`requests(3); ${ending}`)).toEqual(threeRequests);
    },
    30_000,
  );

  test.each([
    ["logger.warn({}, 'slow')", 'slow'],
    ["logger.error({}, 'failed')", 'failed'],
    ["logger.info({}, 'sign-in refused')", 'sign-in refused'],
    ["logger.child({ a: 1 }).info({}, 'sign-in refused')", 'sign-in refused'],
  ])(
    'of any other kind are written at once, after those before them, even if the process is killed: %s',
    async (call, message) => {
      const messages = await messagesOf(`requests(3); ${call}; process.kill(process.pid, 'SIGKILL');`);
      expect(messages).toEqual([...threeRequests, message]);
    },
    30_000,
  );

  test('keep their order and are complete if the reader is slow', async () => {
    const { ended, read, lines, errors } = runWithLogger(`
      console.error('begun');
      for (let round = 0; round < 100; round += 1) {
        requests(200);
        logger.warn({ number: number++ }, 'slow');
      }
      process.exit(0);
    `);
    await waitFor(() => errors().includes('begun'), { what: 'the begin' });
    read('stdout');
    await ended;
    expect(lines().map(({ number }) => number)).toEqual(Array.from({ length: 20_100 }, (_, index) => index));
  }, 60_000);
});
