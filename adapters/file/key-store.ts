import { createHash } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import { refuseReadableByOthers } from '../../provider/lib/secret-files.ts';
import type { KeyStore, StoredKeySet } from '../../provider/ports/key-store.ts';

const lookMs = 20;

const versionOf = (value: string) => createHash('sha256').update(value).digest('base64url');

/** Returns the result of `work`, or the given value when it fails with this system error code. */
async function on<T, U>(code: string, value: U, work: Promise<T>): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return value;
    throw error;
  }
}

/** Reads the whole file; undefined when there is none. */
const readIfThere = (path: string) => on('ENOENT', undefined, readFile(path, 'utf8'));

/** Creates a file with mode 0600. Rejects when the file exists. Resolves when the content is on the disk. */
async function create(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * The key set in a file of mode 0600, for development and single machines.
 *
 * Several processes may use the file at the same time, on one machine or on a shared file system with hard links and
 * atomic renames. A file that other users may read is refused.
 */
export class FileKeyStore implements KeyStore {
  readonly #path: string;
  readonly #folder: string;
  readonly #lock: string;
  readonly #staleLooks: number;

  /** @param options.staleLockMs an unchanged lock counts as left by a dead process after this many milliseconds */
  constructor(options: { path: string; staleLockMs?: number }) {
    this.#path = options.path;
    this.#folder = dirname(options.path);
    this.#lock = `${options.path}.lock`;
    this.#staleLooks = Math.ceil((options.staleLockMs ?? 5000) / lookMs);
  }

  /** @throws ConfigurationError when the file can't be read, or when other users may read it */
  load(): Promise<StoredKeySet | undefined> {
    return this.#explained('read', async () => {
      refuseReadableByOthers(this.#path, 'private keys');
      const value = await readIfThere(this.#path);
      return value === undefined ? undefined : { version: versionOf(value), value };
    });
  }

  /** @throws ConfigurationError when the file can't be written */
  save(value: string, expected: string | undefined): Promise<boolean> {
    return this.#explained('written', async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const draft = join(this.#folder, `.${basename(this.#path)}.${randomToken(8)}`);
      try {
        await create(draft, value);
        // A hard link fails when the name exists. So of many parallel first calls exactly one creates the file, without
        // a lock.
        const saved =
          expected === undefined
            ? await on(
                'EEXIST',
                false,
                link(draft, this.#path).then(() => true),
              )
            : await this.#replace(draft, expected);
        await syncFolder(this.#folder);
        return saved;
      } finally {
        await rm(draft, { force: true });
      }
    });
  }

  async #replace(draft: string, expected: string): Promise<boolean> {
    for (;;) {
      const token = await this.#acquire();
      try {
        const current = await readIfThere(this.#path);
        if (current === undefined || versionOf(current) !== expected) return false;
        // Another process assumed that this process was dead, and holds the lock now. Start again.
        if ((await readIfThere(this.#lock)) !== token) continue;
        await rename(draft, this.#path);
        return true;
      } finally {
        if ((await readIfThere(this.#lock)) === token) await rm(this.#lock, { force: true });
      }
    }
  }

  /** Waits for the lock file, and removes one that a dead process left. Returns the token that identifies our lock. */
  async #acquire(): Promise<string> {
    const token = randomToken(16);
    let holder: string | undefined;
    let looks = 0;
    for (;;) {
      if (
        await on(
          'EEXIST',
          false,
          create(this.#lock, token).then(() => true),
        )
      )
        return token;
      const seen = await readIfThere(this.#lock);
      looks = seen === holder ? looks + 1 : 0;
      holder = seen;
      if (looks >= this.#staleLooks) {
        await this.#removeStaleLock(holder);
        looks = 0;
      }
      await pause(lookMs);
    }
  }

  /**
   * If many processes find the lock stale, one of them moves it. It may move a fresh lock by mistake. The process that
   * holds that lock notices this before it writes.
   */
  async #removeStaleLock(holder: string | undefined): Promise<void> {
    if ((await readIfThere(this.#lock)) !== holder) return;
    const aside = `${this.#lock}.${randomToken(8)}`;
    await on('ENOENT', undefined, rename(this.#lock, aside));
    await rm(aside, { force: true });
  }

  async #explained<T>(action: 'read' | 'written', work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new ConfigurationError([
        `${this.#path} can't be ${action} (${code}): check the path, its owner and its permissions.`,
      ]);
    }
  }
}
