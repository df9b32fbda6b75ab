/**
 * A log of when the tokens of a family were spent, for the last minute. For each second in which tokens were spent, it
 * has the time and the counts of the first and the last token. So the log stays short even if a client refreshes very
 * often.
 */
export type SpentLog = readonly SpentSecond[];

type SpentSecond = readonly [spentAt: number, first: number, last: number];

/** The longest grace that can be configured (DESIGN §1, G1). */
const longestGraceMs = 60_000;

/** @returns the log with one more token, without entries that are too old to matter */
export function noteSpent(log: SpentLog, count: number, spentAt: number): SpentLog {
  const recent = log.filter(([at]) => spentAt - at < longestGraceMs + 1000);
  const latest = recent.at(-1);
  if (latest && second(latest[0]) === second(spentAt))
    return [...recent.slice(0, -1), [spentAt, latest[1], count]];
  return [...recent, [spentAt, count, count]];
}

/**
 * @returns when a token was spent, in whole seconds for all but the last one; undefined when that is longer ago than
 * any grace
 */
export function spentTime(log: SpentLog, count: number): number | undefined {
  return log.find(([, first, last]) => first <= count && count <= last)?.[0];
}

const second = (time: number) => Math.floor(time / 1000);
