import type { BenchReport } from './report.ts';

/** A claim of Gatehouse that holds on any machine, and whether it was true in this run. */
export interface Verdict {
  claim: string;
  seen: string;
  holds: boolean;
}

/** The largest allowed ratio of response times during a flood of sign-ins to those before it. */
const slowest = 2;
/** The largest allowed distance of the area under the curve from one half. */
const tellable = 0.05;
/** The largest allowed ratio of memory in the second half of a flood to memory in the first half. */
const growth = 1.25;

/** Returns verdicts only for measured parts. */
export function verdictsOf({ comparisons, flood }: Pick<BenchReport, 'comparisons' | 'flood'>): Verdict[] {
  return [
    ...comparisons.map(({ name, areaUnderCurve, sameAnswer }) => ({
      claim: `nobody can tell a known address from an unknown one by ${name}: within ${tellable} of one half, the same status and text`,
      seen: `${areaUnderCurve.toFixed(3)}, ${sameAnswer ? 'the same' : 'NOT the same'}`,
      holds: sameAnswer && Math.abs(areaUnderCurve - 0.5) <= tellable,
    })),
    ...(flood?.probes ?? []).map(({ name, ratio }) => ({
      claim: `while sign-ins flood in, ${name} is at most ${slowest} times as slow at p99`,
      seen: ratio.toFixed(2),
      holds: ratio <= slowest,
    })),
    ...(flood ? memoryOf(flood.memoryMib) : []),
  ];
}

function memoryOf(samples: readonly number[]): Verdict[] {
  if (samples.length < 4) return [];
  const half = Math.floor(samples.length / 2);
  const [earlier, later] = [samples.slice(0, half), samples.slice(half)].map((some) => Math.max(...some));
  const ratio = (later ?? 0) / (earlier ?? 0);
  return [
    {
      claim: `a flood's second half takes no more memory than its first: at most ${growth} times as much`,
      seen: ratio.toFixed(2),
      holds: ratio <= growth,
    },
  ];
}
