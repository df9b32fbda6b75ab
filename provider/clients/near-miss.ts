function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const gap = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      current.push(Math.min(substitution, gap));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/**
 * The name that was probably meant: equal but for case, dashes and underscores, or at most two typing errors
 * away (one, for names of up to four characters). Undefined when nothing is that close.
 */
export function nearMiss(given: string, known: readonly string[]): string | undefined {
  const typed = plain(given.slice(0, 64));
  const ranked = known
    .map((name) => ({ name, distance: distance(typed, plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const allowed = typed.length <= 4 ? 1 : 2;
  return best !== undefined && best.distance <= allowed ? best.name : undefined;
}
