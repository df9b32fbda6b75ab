function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const gap = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      current.push(Math.min(substitution, gap));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The allowed number of typing errors: one in a short name, two in a longer one, a fifth of a very long one. */
const allowed = (length: number) => (length <= 4 ? 1 : Math.max(2, Math.floor(length / 5)));

/**
 * The known name that was probably meant. It differs only in case, dashes, underscores or a few typing errors.
 * Undefined when no known name is that similar.
 */
export function nearMiss(given: string, known: readonly string[]): string | undefined {
  const typed = plain(given.slice(0, 64));
  const ranked = known
    .map((name) => ({ name, edits: distance(typed, plain(name)) }))
    .sort((one, other) => one.edits - other.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= allowed(typed.length) ? best.name : undefined;
}
