import { execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resume } from './stall.ts';

/**
 * The server's parent, which lives exactly as long as its standard input is open: a test run that ends in
 * whatever way, SIGKILL too, closes it. The shell then stops the server and removes its folder. It asks more
 * than once, since what it asks may still be setting up.
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

/** Who runs servers: ourselves, or, since Postgres refuses root, somebody without rights. */
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

/** A new folder of its own for a server, owned by `owner`. */
export function serverFolder(name: string, owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-test-${name}-`));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

export interface KeptProcess {
  /** True once the server has ended. */
  ended(): boolean;
  /** What the server printed, the last 4 KiB of it. */
  output(): string;
  /** Stops the server and removes its folder; resolves when both is done. */
  stop(): Promise<void>;
  /** Stalls what has no processes here. */
  stall?(): Promise<Resume>;
}

export interface KeptCommand {
  program: string;
  args: string[];
  folder: string;
  owner: Owner;
  /** Shell command that stops the server, whose process id is `$server`. */
  stopCommand?: string;
}

/** Starts a server that ends, and whose folder goes, no later than this process. */
export function startKept(command: KeptCommand): KeptProcess {
  const log = openSync(join(command.folder, 'server.log'), 'w+');
  const child = spawn('/bin/sh', ['-c', keeper, 'keeper', command.program, ...command.args], {
    ...command.owner,
    cwd: command.folder,
    // A session of its own: ^C in the terminal reaches the test run, and the keeper through it, in order.
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
