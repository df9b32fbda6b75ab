import { execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resume } from './stall.ts';

/**
 * This shell script is the server's parent process. It runs until its standard input is closed. The input is closed
 * when the test run ends for any reason, including SIGKILL. The shell then stops the server and removes its folder. It
 * repeats the stop command because the server may still be starting.
 */
const keeper = `
exec 3<&0
"$@" </dev/null & server=$!
( read -r _ <&3; while kill -0 $server 2>/dev/null; do eval "$STOP_SERVER"; sleep 0.2; done ) & watcher=$!
wait $server
kill $watcher 2>/dev/null
rm -rf "$SERVER_FOLDER"
`;

export interface Owner {
  uid?: number;
  gid?: number;
}

/** The user that runs servers: the current user, or an unprivileged user if that is root, which Postgres refuses. */
export function serverOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string, user: string) =>
    Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', user), gid: id('-g', user) };
    } catch {}
  }
  throw new Error('Postgres refuses to run as root: add a user named postgres, or set DATABASE_URL.');
}

/** Creates a new folder for one server, owned by `owner`. */
export function serverFolder(name: string, owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-test-${name}-`));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

export interface KeptProcess {
  /** True once the server has ended. */
  ended(): boolean;
  /** The last 4 KiB of what the server printed. */
  output(): string;
  /** Stops the server and removes its folder. Resolves when both are done. */
  stop(): Promise<void>;
  /** Stalls a server whose processes aren't visible on this machine. */
  stall?(): Promise<Resume>;
}

export interface KeptCommand {
  program: string;
  args: string[];
  folder: string;
  owner: Owner;
  /** The shell command that stops the server, whose process id is `$server`. */
  stopCommand?: string;
}

/** Starts a server that stops, and whose folder is removed, at the latest when this process ends. */
export function startKept(command: KeptCommand): KeptProcess {
  const log = openSync(join(command.folder, 'server.log'), 'w+');
  const child = spawn('/bin/sh', ['-c', keeper, 'keeper', command.program, ...command.args], {
    ...command.owner,
    cwd: command.folder,
    // In its own session, ^C in the terminal reaches only the test run. The keeper stops after the test run.
    detached: true,
    stdio: ['pipe', log, log],
    env: {
      ...process.env,
      SERVER_FOLDER: command.folder,
      STOP_SERVER: command.stopCommand ?? 'kill -INT $server',
    },
  });
  let over = false;
  const exit = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => {
    over = true;
  });
  child.unref();
  const input = child.stdin as typeof child.stdin & { unref?: () => void };
  input.on('error', () => {});
  input.unref?.();
  return {
    ended: () => over,
    output: () => lastWords(log),
    stop: async () => {
      child.ref();
      input.end();
      await exit;
      closeSync(log);
    },
  };
}

function lastWords(log: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  const length = readSync(log, buffer, 0, buffer.length, 0);
  return buffer
    .subarray(Math.max(0, length - 4096), length)
    .toString('utf8')
    .trim();
}
