import type { BenchReport } from './report.ts';

/** Something Gatehouse claims that holds on any machine, and whether it held in this run. */
export interface Verdict {
  claim: string;
  seen: string;
  holds: boolean;
}

/** Others are at most this much slower while sign-ins flood in. */
const slowest = 2;
/** How far from one half the area under the curve may be. */
const tellable = 0.05;
/** How much a flood may add to the memory of a warm server. */
const growth = 1.25;

/** Only what was measured is judged. */
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
