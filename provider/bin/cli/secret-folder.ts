import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { randomToken } from '../../lib/ids.ts';
import { CommandFailure } from './command-failure.ts';

/** A new secret of a client. */
export interface NewSecret {
  clientId: string;
  secret: string;
}

/** Whether this secret is one of the client's now. */
export type IsOfClient = (clientId: string, secret: string) => Promise<boolean>;

/** A hidden file that is older, and whose secret no client has, was left by a command that wrote nothing. */
const abandonedMs = 3_600_000;

/**
 * A folder with one file for each client, mode 0600, that holds the client's secret and nothing else.
 *
 * A secret is written before it is stored, to a hidden file, and gets its name after that. So no secret is lost when the
 * disk is full or the process dies: `recover` completes what an earlier run left.
 */
export class SecretFolder {
  readonly #folder: string;
  readonly #isOfClient: IsOfClient;
  readonly #pending = new Map<string, string>();

  constructor(folder: string, isOfClient: IsOfClient) {
    this.#folder = folder;
    this.#isOfClient = isOfClient;
  }

  /** The file of a client. */
  pathOf(clientId: string): string {
    return join(this.#folder, `${clientId}.secret`);
  }

  /** Creates the folder and gives the secrets of an earlier run their names. Returns the files that it completed. */
  async recover(): Promise<string[]> {
    return this.#explained(this.#folder, async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const completed: string[] = [];
      for (const name of await readdir(this.#folder)) {
        const clientId = /^\.(.+)\.[\w-]{8}\.pending$/.exec(name)?.[1];
        if (clientId === undefined) continue;
        const path = join(this.#folder, name);
        if (await this.#isOfClient(clientId, await readFile(path, 'utf8'))) {
          await rename(path, this.pathOf(clientId));
          completed.push(this.pathOf(clientId));
        } else if (systemClock.now() - (await stat(path)).mtimeMs > abandonedMs) {
          await rm(path, { force: true });
        }
      }
      return completed;
    });
  }

  /**
   * Writes new secrets to hidden files. When this has resolved, they are on the disk.
   *
   * @throws CommandFailure when a file can't be written, or when a client's file holds something else than one of its
   *   secrets
   */
  async keep(secrets: readonly NewSecret[]): Promise<void> {
    for (const { clientId } of secrets) await this.#refuseForeign(clientId);
    for (const { clientId, secret } of secrets) {
      const path = join(this.#folder, `.${clientId}.${randomToken(6)}.pending`);
      this.#pending.set(secret, path);
      await this.#explained(path, async () => {
        const file = await open(path, 'wx', 0o600);
        try {
          await file.writeFile(secret);
          await file.sync();
        } finally {
          await file.close();
        }
        await this.#syncFolder();
      });
    }
  }

  /** Gives the files of secrets that are stored now their names, and removes all others. Returns the names. */
  async publish(used: readonly NewSecret[]): Promise<string[]> {
    const paths: string[] = [];
    for (const { clientId, secret } of used) {
      const pending = this.#pending.get(secret);
      if (pending === undefined) continue;
      const path = this.pathOf(clientId);
      await this.#explained(path, () => rename(pending, path), `The secret is in ${pending}.`);
      this.#pending.delete(secret);
      paths.push(path);
    }
    await this.discard();
    return paths;
  }

  /** Removes the files of secrets that were not stored. Never throws: `recover` removes them later. */
  async discard(): Promise<void> {
    for (const path of this.#pending.values()) await rm(path, { force: true }).catch(() => {});
    this.#pending.clear();
    await this.#syncFolder().catch(() => {});
  }

  /** A file may be replaced only if it holds a secret of this client: it may belong to another installation. */
  async #refuseForeign(clientId: string): Promise<void> {
    const path = this.pathOf(clientId);
    const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      return '';
    });
    if (before === undefined || (await this.#isOfClient(clientId, before.trim()))) return;
    throw new CommandFailure(
      'cannotCreate',
      `${path} is there already, and what it holds is no secret of this client. Move it away, or name another folder.`,
      { code: 'exists' },
    );
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #explained<T>(path: string, work: () => Promise<T>, hint = ''): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof CommandFailure || code === undefined) throw error;
      const message = `The file ${path} can't be written (${code}). Check its folder, permissions and space. ${hint}`;
      throw new CommandFailure('cannotCreate', message.trim(), { code: 'unwritable' });
    }
  }
}
