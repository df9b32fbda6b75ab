import { readFileSync } from 'node:fs';
import { parseSync } from '@swc/core';

/** A node of the parsed program. Only the members that are read here have a type. */
interface Node {
  type: string;
  value?: unknown;
  callee?: Node;
  object?: Node;
  property?: Node;
  expression?: Node;
  id?: Node;
  init?: Node | null;
  arguments?: { expression: Node }[];
  elements?: ({ expression: Node } | null)[];
  quasis?: { cooked?: string }[];
  expressions?: Node[];
}

function visit(node: unknown, seen: (node: Node) => void): void {
  if (Array.isArray(node)) for (const each of node) visit(each, seen);
  else if (typeof node === 'object' && node !== null) {
    if (typeof (node as Node).type === 'string') seen(node as Node);
    for (const each of Object.values(node)) visit(each, seen);
  }
}

/** `cases as const` and `(cases)` are `cases`. */
function bare(node: Node | null | undefined): Node | undefined {
  const isWrapped = /^(Ts(As|ConstAs|ConstAssertion|Satisfies)|Parenthesis)/.test(node?.type ?? '');
  return isWrapped ? bare(node?.expression) : (node ?? undefined);
}

/** The value of a text or number that is written out; undefined for any other expression. */
function literal(given: Node | undefined): unknown {
  const node = bare(given);
  if (node?.type === 'StringLiteral' || node?.type === 'NumericLiteral') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions?.length === 0) return node.quasis?.[0]?.cooked;
  return undefined;
}

const placeholder = /%[sdij]/g;

/** The title for a row of `test.each`; undefined if it has a value that is not written out. */
function titleOf(title: string, cells: unknown[]): string | undefined {
  const values = cells.slice(0, title.match(placeholder)?.length ?? 0);
  if (values.includes(undefined)) return undefined;
  return title.replace(placeholder, (kind) => {
    const value = values.shift();
    return kind === '%j' ? JSON.stringify(value) : String(value);
  });
}

/**
 * Parses a test file and gives the titles of its tests. A title of `test.each` is given as it is written, and also for each
 * row of its table whose values are written out in the file. Titles of `describe` are no titles of tests.
 */
export function testTitles(path: string): Set<string> {
  const program = parseSync(readFileSync(path, 'utf8'), { syntax: 'typescript', target: 'es2023' });
  const tables = new Map<unknown, Node>();
  visit(program, ({ type, id, init }) => {
    const table = bare(init);
    if (type === 'VariableDeclarator' && table?.type === 'ArrayExpression') tables.set(id?.value, table);
  });
  const titles = new Set<string>();
  visit(program, ({ type, callee, arguments: given = [] }) => {
    const title = literal(given[0]?.expression);
    if (type !== 'CallExpression' || typeof title !== 'string') return;
    if (callee?.type === 'Identifier' && callee.value === 'test') titles.add(title);
    const { object, property } = callee?.callee ?? {};
    if (object?.value !== 'test' || property?.value !== 'each') return;
    titles.add(title);
    const rows = bare(callee?.arguments?.[0]?.expression);
    const table = rows?.type === 'Identifier' ? tables.get(rows.value) : rows;
    for (const row of table?.elements ?? []) {
      const cells = bare(row?.expression);
      const values =
        cells?.type === 'ArrayExpression'
          ? (cells.elements ?? []).map((cell) => literal(cell?.expression))
          : [literal(cells)];
      const expanded = titleOf(title, values);
      if (expanded !== undefined) titles.add(expanded);
    }
  });
  return titles;
}

/**
 * Gives the titles of a file that has no tests of its own but exports rows, whose `name` is the title of a test:
 * `test/flows/bad-input/*.ts`.
 *
 * @param module what the file exports
 */
export function rowTitles(module: Record<string, unknown>): Set<string> {
  const rows = Object.values(module).filter(Array.isArray).flat() as { name?: unknown }[];
  return new Set(rows.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])));
}
