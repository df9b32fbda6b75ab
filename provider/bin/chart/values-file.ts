import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { packageRoot } from '../../lib/package-root.ts';

/** One value of the chart, with what its comment says. */
export interface ChartValue {
  /** The dotted path, such as `serve.replicas`. */
  path: string;
  /** The heading of the section that begins here. */
  heading?: string;
  /** The text below that heading. */
  introduction?: string;
  description: string;
  /** What `# @schema` adds to the schema. */
  schema: Record<string, unknown>;
  default: unknown;
  /** The values inside; undefined for text, numbers, lists and free mappings. */
  children?: ChartValue[];
}

/** Reads the chart's values, in the order of the file. Throws an error that names the value without a complete schema. */
export function readChartValues(
  text = readFileSync(join(packageRoot, 'charts/gatehouse/values.yaml'), 'utf8'),
): ChartValue[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors[0]) throw document.errors[0];
  const lines = text.split('\n');

  const valuesOf = (map: unknown, parent: string): ChartValue[] => {
    if (!isMap(map)) throw new Error(`${parent} must be a mapping`);
    return map.items.map(({ key, value }) => {
      if (!isScalar(key)) throw new Error(`a key below ${parent} is not text`);
      const path = parent === '' ? String(key.value) : `${parent}.${String(key.value)}`;
      const { line } = lineCounter.linePos(key.range?.[0] ?? 0);
      const comment = readComment(lines, line - 1, path);
      const plain: unknown =
        isMap(value) || isScalar(value) ? value.toJSON() : (value as { toJSON(): unknown }).toJSON();
      const isClosed =
        isMap(value) && value.items.length > 0 && comment.schema.additionalProperties === undefined;
      const entry = { path, ...comment, default: plain };
      requireSchema(entry, isClosed);
      return isClosed ? { ...entry, children: valuesOf(value, path) } : entry;
    });
  };
  return valuesOf(document.contents, '');
}

/** The comment above a line: its own block, and the section's head above that. */
function readComment(lines: readonly string[], keyLine: number, path: string) {
  const block = blockAbove(lines, keyLine);
  const above = lines[keyLine - block.length - 1] === '' ? blockAbove(lines, keyLine - block.length - 1) : [];
  const head = [block, above].find(([first]) => first?.startsWith('## ') === true);
  const own = head === block ? [] : block;
  const [title, ...introduction] = head ?? [];
  const schemaLines = own.filter((line) => line.startsWith('@schema '));
  return {
    ...(title === undefined ? {} : { heading: title.slice(3), introduction: introduction.join('\n').trim() }),
    description: own
      .filter((line) => !line.startsWith('@schema '))
      .join(' ')
      .trim(),
    schema: Object.assign({}, ...schemaLines.map((line) => parseSchema(line, path))) as Record<
      string,
      unknown
    >,
  };
}

function blockAbove(lines: readonly string[], end: number): string[] {
  const block: string[] = [];
  for (let at = end - 1; at >= 0; at -= 1) {
    const comment = /^\s*# ?(.*)$/.exec(lines[at] ?? '');
    if (!comment) break;
    block.unshift(comment[1] ?? '');
  }
  return block;
}

function parseSchema(line: string, path: string): object {
  try {
    return JSON.parse(line.slice('@schema '.length)) as object;
  } catch {
    throw new Error(`${path}: @schema must be followed by JSON on the same line`);
  }
}

/** A list or a free mapping whose content is not described would accept everything. */
function requireSchema({ path, schema, default: value }: ChartValue, isClosed: boolean): void {
  if (isClosed || 'gatehouse' in schema) return;
  const isList = Array.isArray(value);
  if (value === null) throw new Error(`${path} has no default: use an empty text, list or mapping`);
  if (isList && !('items' in schema)) throw new Error(`${path} needs @schema with items`);
  if (typeof value === 'object' && !isList && !('additionalProperties' in schema))
    throw new Error(`${path} needs @schema with additionalProperties`);
}
