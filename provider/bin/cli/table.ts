/** Cells may hold text from requests. Control characters (headers may contain those of Latin-1) must not reach a terminal. */
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

/** Rows under headings, in columns as wide as what is in them. */
export function table(headings: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return columns([headings.map((heading) => heading.toUpperCase()), ...rows]);
}

/** Names and their values, one below the other. */
export function fieldList(fields: Readonly<Record<string, string>>): string {
  return columns(Object.entries(fields));
}

/** A time as persons and programs can read it, in UTC. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
