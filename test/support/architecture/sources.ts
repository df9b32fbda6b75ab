import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

export interface Import {
  /** The specifier as it is in the source. */
  specifier: string;
  /** For a relative import: the file, named like `Source.path`. It starts with `..` if it isn't a product file. */
  target?: string;
  typeOnly: boolean;
}

export interface Source {
  /** Relative to `provider/`, with `/`; the files of the top-level folder `adapters/` begin with `adapters/`. */
  path: string;
  text: string;
  /** The text without comments. */
  code: string;
  imports: Import[];
}

const commentOrString =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const fromClause =
  /(?:^|[;}\n])\s*(?:import|export)\s+(?<type>type\s+)?(?:(?<names>[\w$*{}\s,]+?)\s*from\s*)?['"](?<specifier>[^'"\n]+)['"]/g;
const call = /\b(?:import|require)\s*\(\s*['"`](?<specifier>[^'"`\n]+)['"`]/g;

const allTyped = (names: string | undefined) =>
  names?.startsWith('{') === true &&
  names
    .slice(1, -1)
    .split(',')
    .filter((name) => name.trim() !== '')
    .every((name) => name.trim().startsWith('type '));

/** Reads one file's imports, re-exports and dynamic imports from its text alone. */
export function parseSource(path: string, text: string): Source {
  const code = text.replace(commentOrString, (match) =>
    match.startsWith('/') ? match.replace(/[^\n]/g, '') : match,
  );
  const found = (specifier = '', typeOnly = false): Import => ({
    specifier,
    typeOnly,
    ...(specifier.startsWith('.') ? { target: productPath(posix.join(posix.dirname(path), specifier)) } : {}),
  });
  const statements = [...code.matchAll(fromClause)].map(({ groups }) =>
    found(groups?.specifier, groups?.type !== undefined || allTyped(groups?.names?.trim())),
  );
  const calls = [...code.matchAll(call)].map(({ groups }) => found(groups?.specifier));
  return { path, text, code, imports: [...statements, ...calls] };
}

/** `provider/` and `adapters/` are sibling folders. Product file names here treat both as one folder. */
const productPath = (path: string) =>
  path.replace(/^provider\//, '').replace(/^\.\.\/adapters\//, 'adapters/');

/** Reads every TypeScript file under a folder except declarations (`.d.ts`), which only describe foreign code. */
export function readSources(root: string, prefix = ''): Source[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.includes('node_modules'))
    .sort()
    .map((path) => parseSource(prefix + path.split(sep).join('/'), readFileSync(join(root, path), 'utf8')));
}

/** Reads every file that ships: `provider/` and `adapters/`. */
export const readProduct = (): Source[] => [
  ...readSources('provider'),
  ...readSources('adapters', 'adapters/'),
];

/** The first folder of a path: its layer. */
export const layerOf = (path: string): string => path.split('/')[0] ?? '';

/** An adapter's folder: `adapters/redis`. */
export const adapterOf = (path: string): string => path.split('/').slice(0, 2).join('/');
