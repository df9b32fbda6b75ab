/**
 * Replaces control characters in a cell. Cells may contain text from requests, and headers may contain the control
 * characters of Latin-1. These must not reach a terminal.
 */
const shown = (cell: string) => cell.replaceAll(/\p{Cc}/gu, '\ufffd');

function columns(cells: ReadonlyArray<readonly string[]>): string {
  const rows = cells.map((row) => row.map(shown));
  const count = Math.max(0, ...rows.map(({ length }) => length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** Formats rows under headings. Each column is as wide as its longest cell. */
export function table(headings: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return columns([headings.map((heading) => heading.toUpperCase()), ...rows]);
}

/** Formats names and their values, one pair per line. */
export function fieldList(fields: Readonly<Record<string, string>>): string {
  return columns(Object.entries(fields));
}

/** Formats a time in UTC so that people and programs can read it. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
