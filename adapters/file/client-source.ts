import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClientSource,
  ClientSourceUnreadable,
  type RawClientDocument,
} from '../../provider/ports/client-source.ts';
import { parseClientsYaml } from './clients-yaml.ts';

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it may not be read: check its permissions',
};

/** Far more than clients need. A watcher reads everything again every few seconds. */
const limits = { files: 2000, bytes: 16 * 1024 * 1024 };

interface ReadFile {
  path: string;
  text: string;
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClientSourceUnreadable) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ClientSourceUnreadable(`${path}: ${reasons[code] ?? `it can't be read (${code})`}`);
  }
}

/** The YAML files of a folder, sorted by name. Hidden files, also those that Kubernetes makes, are left out. */
async function filesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  const paths: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (!(await explained(path, () => stat(path))).isDirectory()) paths.push(path);
  }
  // A folder that was not mounted looks like this. It must not remove all clients.
  if (paths.length === 0)
    throw new ClientSourceUnreadable(
      `${folder}: there is no .yaml or .yml file in it; a file with "clients: []" if there are none`,
    );
  if (paths.length > limits.files)
    throw new ClientSourceUnreadable(
      `${folder}: there are more than ${limits.files} files in it: put several clients into one file`,
    );
  return paths;
}

async function readAll(path: string): Promise<ReadFile[]> {
  const isFolder = (await explained(path, () => stat(path))).isDirectory();
  const paths = isFolder ? await explained(path, () => filesIn(path)) : [path];
  const files: ReadFile[] = [];
  let bytes = 0;
  for (const one of paths) {
    bytes += (await explained(one, () => stat(one))).size;
    if (bytes > limits.bytes)
      throw new ClientSourceUnreadable(`${path}: it is larger than ${limits.bytes / 1024 / 1024} MiB`);
    files.push({ path: one, text: await explained(one, () => readFile(one, 'utf8')) });
  }
  return files;
}

/** Kubernetes mounts a ConfigMap as links through `..data`, and replaces this one link when the ConfigMap changes. */
const versionOf = (folder: string) => readlink(join(folder, '..data')).catch(() => undefined);

/** Reads again if the files were replaced meanwhile, so that files of two versions are not mixed. */
async function readOneVersion(path: string): Promise<ReadFile[]> {
  for (let tries = 1; ; tries += 1) {
    const before = await versionOf(path);
    const read = await readAll(path).then(
      (files) => ({ files }),
      (error: unknown) => ({ error }),
    );
    if (before !== (await versionOf(path)) && tries < 5) continue;
    if ('error' in read) throw read.error;
    return read.files;
  }
}

function parseAll(files: readonly ReadFile[]): RawClientDocument[] {
  const readable: RawClientDocument[] = [];
  const problems: string[] = [];
  for (const { path, text } of files) {
    try {
      readable.push(...parseClientsYaml(path, text));
    } catch (error) {
      if (!(error instanceof ClientSourceUnreadable)) throw error;
      problems.push(error.message);
      readable.push(...error.readable);
    }
  }
  if (problems.length > 0) throw new ClientSourceUnreadable(problems.join('\n'), readable);
  return readable;
}

/** Loads client documents from a YAML file, or from all YAML files of a folder. */
export class FileClientSource implements ClientSource {
  readonly name: string;
  readonly eachByItself = false;
  readonly #path: string;
  readonly #pollMs: number;
  #loaded: string | undefined;

  /** @param options.pollMs how often a watcher reads the files, in milliseconds */
  constructor(options: { path: string; pollMs: number }) {
    this.name = options.path;
    this.#path = options.path;
    this.#pollMs = options.pollMs;
  }

  async load(): Promise<RawClientDocument[]> {
    const read = await this.#read();
    this.#loaded = read.fingerprint;
    if (read.error !== undefined) throw read.error;
    return parseAll(read.files);
  }

  /**
   * Compares contents, so it detects edits in place, atomic renames and the symbolic links of a Kubernetes ConfigMap. It
   * needs no watch of the operating system, whose number is limited. It calls `changed` only when two polls in a row read
   * the same content, so that a half-written file is not loaded.
   */
  watch(changed: () => void): () => void {
    let loaded = this.#loaded;
    let reported = loaded;
    let previous = reported;
    let timer: NodeJS.Timeout;
    let stopped = false;
    const poll = async () => {
      const { fingerprint } = await this.#read();
      if (stopped) return;
      if (this.#loaded !== loaded) {
        loaded = this.#loaded;
        reported = loaded;
      }
      if (fingerprint === previous && fingerprint !== reported) {
        reported = fingerprint;
        changed();
      }
      previous = fingerprint;
      schedule();
    };
    const schedule = () => {
      timer = setTimeout(() => void poll(), this.#pollMs);
      timer.unref();
    };
    schedule();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }

  async #read(): Promise<{ fingerprint: string; files: ReadFile[]; error?: Error }> {
    try {
      const files = await readOneVersion(this.#path);
      const hash = createHash('sha256');
      for (const { path, text } of files) hash.update(JSON.stringify([path, text]));
      return { fingerprint: hash.digest('base64url'), files };
    } catch (error) {
      return { fingerprint: String(error), files: [], error: error as Error };
    }
  }
}
