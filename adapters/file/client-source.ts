import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import { yamlReferenceProblem, yamlSyntaxProblem } from '../../provider/lib/yaml-problems.ts';
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

/** The entries of the list named `clients`; undefined when there is no such list. */
function entriesOf(root: unknown): unknown[] | undefined {
  const clients = isMap(root) ? root.get('clients', true) : undefined;
  return isSeq(clients) ? clients.items : undefined;
}

function rootProblems(path: string, root: unknown): string[] {
  const keys = isMap(root) ? root.items.map(({ key }) => String(key)) : [];
  const other = keys.filter((key) => key !== 'clients');
  if (other.length === 0 && entriesOf(root) !== undefined) return [];
  // An empty file is refused too. Some editors truncate a file before they write it, and this must not remove all
  // clients.
  const found = other.length > 0 ? ` (found "${other.join('", "')}")` : '';
  return [`${path}: must hold one list named "clients"${found}; "clients: []" if there are none`];
}

function parse(path: string, text: string): RawClientDocument[] {
  const lines = new LineCounter();
  const lineOf = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  // A warning says that a part of the file would be dropped.
  const faults = [...document.errors, ...document.warnings].map(({ code, pos: [offset] }) => ({
    code,
    offset,
  }));
  const problems = faults.map(
    ({ code, offset }) => `${lineOf(offset)}:${lines.linePos(offset).col}: ${yamlSyntaxProblem(code)}`,
  );
  if (faults.length === 0) problems.push(...rootProblems(path, document.contents));
  const entries = (entriesOf(document.contents) ?? []).map((item) => ({
    item,
    offset: isNode(item) ? (item.range?.[0] ?? 0) : 0,
  }));
  const readable: RawClientDocument[] = [];
  for (const [index, { item, offset }] of entries.entries()) {
    // Near a fault, the parser guesses. Its guesses must not be reported as further problems.
    const begin = text.lastIndexOf('\n', offset - 1) + 1;
    const end = entries[index + 1]?.offset ?? text.length;
    if (faults.some((fault) => fault.offset >= begin && fault.offset <= end)) continue;
    const origin = lineOf(offset);
    try {
      readable.push({ origin, value: isNode(item) ? item.toJS(document, { maxAliasCount: 100 }) : item });
    } catch (error) {
      problems.push(`${origin}: ${yamlReferenceProblem(error)}`);
    }
  }
  if (problems.length > 0) throw new ClientSourceUnreadable(problems.join('\n'), readable);
  return readable;
}

/** Loads client documents from a YAML file that holds one list named `clients`. */
export class FileClientSource implements ClientSource {
  readonly name: string;
  readonly eachByItself = false;
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
