import { type Document, isNode, LineCounter, parseDocument, visit } from 'yaml';
import { ConfigurationError } from '../lib/errors.ts';
import { yamlReferenceProblem, yamlSyntaxProblem } from '../lib/yaml-problems.ts';

/** An issue as zod reports it. */
export interface Issue {
  path: readonly PropertyKey[];
  message: string;
  code?: string;
  /** Set when keys are unknown: their names. */
  keys?: readonly string[];
  /** Set when a key is not valid: the reasons. */
  issues?: ReadonlyArray<{ message: string }>;
}

export interface YamlText {
  value: unknown;
  /** Gives an issue as lines of text: file, line, path, and what is wrong. */
  problem(issue: Issue): string[];
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function placed(issue: Issue): Array<{ path: readonly PropertyKey[]; message: string }> {
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      path: [...issue.path, key],
      message: 'is not known here; check its spelling or remove it',
    }));
  }
  if (issue.code === 'invalid_key') {
    return (issue.issues ?? []).map(({ message }) => ({ path: issue.path, message }));
  }
  return [issue];
}

function toPlain(document: Document.Parsed, fileName: string, lineAt: (offset: number) => number): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const places: string[] = [];
    visit(document, {
      Alias: (_key, alias) => {
        const isKnown = alias.resolve(document) !== undefined;
        if (!isKnown) places.push(`${fileName}:${lineAt(alias.range?.[0] ?? 0)}`);
      },
    });
    const problem = yamlReferenceProblem(error);
    throw new ConfigurationError((places.length > 0 ? places : [fileName]).map((at) => `${at}: ${problem}`));
  }
}

/** Parses one YAML 1.2 document. Throws a ConfigurationError with all its syntax errors and their lines. */
export function readYaml(text: string, fileName: string): YamlText {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  // A warning says that a part of the file would be dropped.
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new ConfigurationError(
      faults.map(
        ({ pos, code }) => `${fileName}:${lineCounter.linePos(pos[0]).line}: ${yamlSyntaxProblem(code)}`,
      ),
    );
  }
  /** The line of a value. For a missing value, the line of the value that should contain it. */
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
    }
    return 1;
  };
  return {
    value: toPlain(document, fileName, (offset) => lineCounter.linePos(offset).line),
    problem: (issue) =>
      placed(issue).map(({ path, message }) => {
        const where = path.length === 0 ? '' : ` ${pathText(path)}`;
        return `${fileName}:${lineOf(path)}:${where} ${message}`;
      }),
  };
}
