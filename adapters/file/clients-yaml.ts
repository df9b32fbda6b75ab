import { type Document, isMap, isNode, isSeq, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';
import { yamlReferenceProblem, yamlSyntaxProblem } from '../../provider/lib/yaml-problems.ts';
import {
  type ClientSource,
  ClientSourceUnreadable,
  type RawClientDocument,
} from '../../provider/ports/client-source.ts';

type YamlDocument = Document.Parsed<ParsedNode>;

/** The entries of the list named `clients`, or the one client that the document is; undefined for anything else. */
function entriesOf(root: unknown): unknown[] | undefined {
  if (!isMap(root)) return undefined;
  if (root.has('clients')) {
    const clients = root.get('clients', true);
    return isSeq(clients) ? clients.items : undefined;
  }
  return root.has('id') ? [root] : undefined;
}

function rootProblem(root: unknown): string | undefined {
  const keys = isMap(root) ? root.items.map(({ key }) => String(key)) : [];
  const other =
    keys.includes('clients') || !keys.includes('id') ? keys.filter((key) => key !== 'clients') : [];
  if (other.length === 0 && entriesOf(root) !== undefined) return undefined;
  const found = other.length > 0 ? ` (found "${other.join('", "')}")` : '';
  return `must hold one list named "clients"${found}; "clients: []" if there are none. A document with an "id" is one client`;
}

/**
 * Reads the client documents of one YAML text. It holds one or more YAML documents (`---`). Each is a map with one list
 * named `clients`, or one client.
 *
 * @param path the name of the text, for error messages and origins
 * @throws ClientSourceUnreadable when a part can't be read. No message repeats a part of the text, which may be a secret.
 */
export function parseClientsYaml(path: string, text: string): RawClientDocument[] {
  const lines = new LineCounter();
  const lineOf = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const documents: YamlDocument[] = Array.isArray(parsed) ? parsed : [];
  // A warning says that a part of the file would be dropped.
  const faults = documents
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    .map(({ code, pos: [offset] }) => ({ code, offset }));
  const problems = faults.map(
    ({ code, offset }) => `${lineOf(offset)}:${lines.linePos(offset).col}: ${yamlSyntaxProblem(code)}`,
  );
  // Documents without content separate others, or end the file.
  const filled = documents.filter(({ contents }) => contents !== null && !isEmptyScalar(contents));
  if (faults.length === 0) {
    // A text without content is refused too. Some editors truncate a file before they write it, and this must not remove
    // all clients.
    if (filled.length === 0) problems.push(`${path}: ${rootProblem(undefined)}`);
    for (const { contents } of filled) {
      const problem = rootProblem(contents);
      const place = documents.length > 1 ? lineOf(contents?.range?.[0] ?? 0) : path;
      if (problem !== undefined) problems.push(`${place}: ${problem}`);
    }
  }
  const entries = filled.flatMap((document) =>
    (entriesOf(document.contents) ?? []).map((item) => ({
      document,
      item,
      offset: isNode(item) ? (item.range?.[0] ?? 0) : 0,
    })),
  );
  const readable: RawClientDocument[] = [];
  for (const [index, { document, item, offset }] of entries.entries()) {
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

/** What `---` without anything behind it gives. */
function isEmptyScalar(node: ParsedNode): boolean {
  return 'value' in node && (node as { value: unknown }).value === null;
}

/** Client documents in a text that does not change. */
export class TextClientSource implements ClientSource {
  readonly name: string;
  readonly eachByItself = false;
  readonly #text: string;

  /** @param options.name the place of the text, for error messages and origins */
  constructor({ name, text }: { name: string; text: string }) {
    this.name = name;
    this.#text = text;
  }

  async load(): Promise<RawClientDocument[]> {
    return parseClientsYaml(this.name, this.#text);
  }

  watch(): () => void {
    return () => {};
  }
}
