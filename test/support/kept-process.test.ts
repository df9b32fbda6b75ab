import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { serverFolder, serverOwner, startKept } from './servers/kept-process.ts';
import { waitFor } from './wait-for.ts';

const startAndTell = `
  import { serverFolder, serverOwner, startKept } from './test/support/servers/kept-process.ts';
  const owner = serverOwner();
  const folder = serverFolder('kept', owner);
  startKept({ program: '/bin/sh', args: ['-c', 'echo $$; exec sleep 1000'], folder, owner, stopCommand: 'kill $server' });
  const { readFileSync } = await import('node:fs');
  let pid = '';
  while (pid === '') pid = readFileSync(folder + '/server.log', 'utf8').trim();
  console.log(JSON.stringify({ folder, pid: Number(pid) }));
  setInterval(() => {}, 1000);
`;

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'after %s the server and its folder are removed',
  async (signal) => {
    const run = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', startAndTell], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told: { folder: string; pid: number } = await new Promise((resolve) =>
      createInterface(run.stdout).once('line', (line) => resolve(JSON.parse(line))),
    );
    expect([existsSync(told.folder), runs(told.pid)]).toEqual([true, true]);
    run.kill(signal);
    await waitFor(() => !existsSync(told.folder) && !runs(told.pid), { what: 'the server to end' });
  },
);

test('a server that ends by itself is noticed, and its output is kept', async () => {
  const owner = serverOwner();
  const folder = serverFolder('kept', owner);
  const kept = startKept({ program: '/bin/sh', args: ['-c', 'echo no room; exit 1'], folder, owner });
  await waitFor(() => kept.ended(), { what: 'the server to end' });
  expect(kept.output()).toBe('no room');
  await kept.stop();
  expect(existsSync(folder)).toBe(false);
});
