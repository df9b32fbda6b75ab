import { patternRule, type Rule } from './rule.ts';
import type { Source } from './sources.ts';

const reExport = /^\s*export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"][^'"]+['"];?/gm;
const forbiddenName = /(^|[/-])(utils?|helpers?|common|managers?|types)(\.ts$|\/)/;
const kebabCase = /^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/;

const barrels: Rule = {
  name: 'no barrels',
  because: 'a file that only re-exports others hides dependencies, and loads all of them for one name',
  violations: (files) =>
    files
      .filter(({ code }) => code.search(reExport) >= 0 && code.replace(reExport, '').trim() === '')
      .map(({ path }) => `${path}: only re-exports`),
};

const cycles: Rule = {
  name: 'no cycles',
  because: 'files that import each other are one file in pieces, and their load order is accidental',
  violations: (files) => findCycles(files).map((cycle) => cycle.join(' → ')),
};

/** Returns each cycle once. It starts at the file where a walk in path order first finds the cycle. */
function findCycles(files: Source[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[][] = [];
  const walk = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? [])
      if (target !== undefined) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) walk(path, []);
  return found;
}

const size: Rule = {
  name: 'at most 300 lines a file',
  because: 'a longer file does two things, and the second needs its own name',
  violations: (files) =>
    files
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 300)
      .map(({ path, lines }) => `${path}: ${lines} lines`),
};

const names: Rule = {
  name: 'names say what is inside',
  because:
    'file names are kebab-case and name the exports; utils, helpers, common, manager and types fit anything',
  violations: (files) =>
    files
      .filter(({ path }) => forbiddenName.test(path) || !kebabCase.test(path))
      .map(({ path }) => `${path}: rename it after what it exports`),
};

const portSize: Rule = {
  name: 'ports have at most 8 methods',
  because: 'each port has several implementations and a contract; a larger one is two ports',
  violations: (files) =>
    files
      .filter(({ path }) => path.startsWith('ports/'))
      .flatMap(({ path, code }) =>
        interfaces(code)
          .filter(({ methods }) => methods > 8)
          .map(({ name, methods }) => `${path}: ${name} has ${methods} methods`),
      ),
};

/** Finds interfaces and counts their methods. It relies on the formatter, which indents members by two spaces. */
function interfaces(code: string): { name: string; methods: number }[] {
  const bodies = code.matchAll(/^(?:export )?interface (?<name>\w+)[^{]*\{\n(?<body>[\s\S]*?)^\}/gm);
  return [...bodies].map(({ groups }) => ({
    name: groups?.name ?? '',
    methods: [...(groups?.body ?? '').matchAll(/^ {2}(readonly )?\w+\??(<.*>)?(: )?\(/gm)].length,
  }));
}

export const shapeRules: Rule[] = [
  patternRule(
    'the environment is read in one place',
    'settings come from one checked table, so that a start reports all problems at once and tests need no environment',
    /\bprocess\??\s*\.\s*env\b|\bprocess\[|\{[^}]*\benv\b[^}]*\}\s*(=\s*process\b|from\s*['"](node:)?process['"])/,
    ['config/load.ts'],
  ),
  patternRule(
    'the time comes from the clock',
    'tests move the clock; a time from another source would not follow',
    /\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<!new\s+)\bDate\s*\(/,
    ['lib/clock.ts'],
  ),
  patternRule(
    'no default exports',
    'an export has the same name everywhere, so that it can be found and renamed',
    /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/,
  ),
  patternRule(
    'no object literal is spread',
    'the compiler does not check a spread literal for misspelt or left-over properties: write the properties',
    /\.\.\.\{/,
  ),
  barrels,
  cycles,
  size,
  names,
  portSize,
];
