import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

export interface Import {
  /** As written. */
  specifier: string;
  /** For a relative one, the file meant, relative to `provider/`; starts with `..` outside of it. */
  target?: string;
  typeOnly: boolean;
}

export interface Source {
  /** Relative to `provider/`, with `/`. */
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

/** Reads one file's imports, re-exports and dynamic imports, by their text alone. */
export function parseSource(path: string, text: string): Source {
  const code = text.replace(commentOrString, (match) =>
    match.startsWith('/') ? match.replace(/[^\n]/g, '') : match,
  );
  const found = (specifier = '', typeOnly = false): Import => ({
    specifier,
    typeOnly,
    ...(specifier.startsWith('.') ? { target: posix.join(posix.dirname(path), specifier) } : {}),
  });
  const statements = [...code.matchAll(fromClause)].map(({ groups }) =>
    found(groups?.specifier, groups?.type !== undefined || allTyped(groups?.names?.trim())),
  );
  const calls = [...code.matchAll(call)].map(({ groups }) => found(groups?.specifier));
  return { path, text, code, imports: [...statements, ...calls] };
}

/** Every TypeScript file under a folder; declarations (`.d.ts`) only describe what others wrote. */
export function readSources(root: string): Source[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => parseSource(path.split(sep).join('/'), readFileSync(join(root, path), 'utf8')));
}

/** The first folder of a path: its layer. */
export const layerOf = (path: string): string => path.split('/')[0] ?? '';

/** An adapter's folder: `adapters/redis`. */
export const adapterOf = (path: string): string => path.split('/').slice(0, 2).join('/');
