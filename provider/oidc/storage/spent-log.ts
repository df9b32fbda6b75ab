/**
 * When the tokens of a family were spent, for as long as that can matter: for each second of the last minute in which
 * some were, when, and from which to which of them, by their count. So it is short however fast a client refreshes.
 */
export type SpentLog = readonly SpentSecond[];

type SpentSecond = readonly [spentAt: number, first: number, last: number];

/** The longest grace there can be (DESIGN §1, G1). */
const longestGraceMs = 60_000;

/** @returns the log with one token more, without what no longer matters */
export function noteSpent(log: SpentLog, count: number, spentAt: number): SpentLog {
  const recent = log.filter(([at]) => spentAt - at < longestGraceMs + 1000);
  const latest = recent.at(-1);
  if (latest && second(latest[0]) === second(spentAt))
    return [...recent.slice(0, -1), [spentAt, latest[1], count]];
  return [...recent, [spentAt, count, count]];
}

/** @returns when a token was spent, to the second for all but the last one; undefined when it is longer ago than any grace */
export function spentTime(log: SpentLog, count: number): number | undefined {
  return log.find(([, first, last]) => first <= count && count <= last)?.[0];
}

const second = (time: number) => Math.floor(time / 1000);
