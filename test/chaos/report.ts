import type { Ledger } from './ledger.ts';

/** The report of the run as Markdown tables. */
export function reportOf({ counts, faults, longest, violations }: Ledger): string {
  const broken = new Map<string, number>();
  for (const { kind } of faults) broken.set(kind, (broken.get(kind) ?? 0) + 1);
  const rows = (entries: Iterable<[string, number]>, unit = '') =>
    [...entries]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([what, number]) => `| ${what} | ${number}${unit} |`);
  return [
    '| broken | times |',
    '|---|---|',
    ...rows(broken),
    '',
    '| asked and answered | times |',
    '|---|---|',
    ...rows(counts),
    '',
    '| longest wait for an answer, with all retries | |',
    '|---|---|',
    ...rows(longest, ' ms'),
    '',
    violations.length === 0
      ? 'Nothing that should not have happened did.'
      : `${violations.length} things should not have happened:`,
    ...violations.slice(0, 50).map((violation) => `- ${violation}`),
  ].join('\n');
}
