import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import {
  type ClientSource,
  ClientSourceUnreadable,
  type RawClientDocument,
} from '../../provider/ports/client-source.ts';

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read: check its permissions',
  EISDIR: 'it is a folder: name the file in it',
};

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new ClientSourceUnreadable(`${path}: ${reasons[code] ?? `it can't be read (${code})`}`);
  }
}

function plainValue(item: unknown, document: Document, origin: string): unknown {
  try {
    return isNode(item) ? item.toJS(document, { maxAliasCount: 100 }) : item;
  } catch (error) {
    throw new ClientSourceUnreadable(`${origin}: not valid YAML: ${(error as Error).message}`);
  }
}

function parse(path: string, text: string): RawClientDocument[] {
  const lines = new LineCounter();
  const locate = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errors = document.errors.map(({ pos, message }) => `${locate(pos[0])}: not valid YAML: ${message}`);
  if (errors.length > 0) throw new ClientSourceUnreadable(errors.join('\n'));
  const root = document.contents;
  const other = isMap(root)
    ? root.items.map(({ key }) => String(key)).filter((key) => key !== 'clients')
    : [];
  const clients = isMap(root) ? root.get('clients', true) : undefined;
  if (other.length > 0 || !isSeq(clients)) {
    // An empty file is refused too. Some editors truncate a file before they write it, and this must not remove all
    // clients.
    const found = other.length > 0 ? ` (found "${other.join('", "')}")` : '';
    throw new ClientSourceUnreadable(
      `${path}: must hold one list named "clients"${found}; "clients: []" if there are none`,
    );
  }
  return clients.items.map((item) => {
    const offset = isNode(item) ? item.range?.[0] : undefined;
    const origin = offset === undefined ? path : `${path}:${lines.linePos(offset).line}`;
    return { origin, value: plainValue(item, document, origin) };
  });
}

/** Loads client documents from a YAML file that holds one list named `clients`. */
export class FileClientSource implements ClientSource {
  readonly name: string;
  readonly #path: string;
  readonly #pollMs: number;
  #loaded: string | undefined;

  /** @param options.pollMs how often a watcher reads the file, in milliseconds */
  constructor(options: { path: string; pollMs: number }) {
    this.name = options.path;
    this.#path = options.path;
    this.#pollMs = options.pollMs;
  }

  async load(): Promise<RawClientDocument[]> {
    const read = await this.#read();
    this.#loaded = read.fingerprint;
    if (read.error !== undefined) throw read.error;
    return parse(this.#path, read.text);
  }

  /**
   * Compares contents, so it detects edits in place, atomic renames and the symbolic links of a Kubernetes ConfigMap.
   * It calls `changed` only when two polls in a row read the same content, so that a half-written file is not loaded.
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

  async #read(): Promise<{ fingerprint: string; text: string; error?: Error }> {
    try {
      const text = await readText(this.#path);
      return { fingerprint: createHash('sha256').update(text).digest('base64url'), text };
    } catch (error) {
      return { fingerprint: String(error), text: '', error: error as Error };
    }
  }
}
