import { type Round, rateOf } from './load.ts';
import { median, quantile } from './statistics.ts';

/** How an operation compares with a limit, from rounds that alternate. */
export interface Ratio {
  /** The median of the ratios of neighbouring rounds, by CPU time. */
  ratio: number;
  /** The standard error of that median. */
  noise: number;
}

/**
 * Compares neighbouring rounds with each other, so a slower minute of the machine affects both rounds of a pair.
 * @param rounds of the operation
 * @param limits of the limit, each measured directly after the round at the same place
 */
export function pairedRatio(rounds: readonly Round[], limits: readonly Round[]): Ratio {
  const ratios = rounds.flatMap((round, index) => {
    const limit = limits[index];
    return limit ? [rateOf(round) / rateOf(limit)] : [];
  });
  return { ratio: median(ratios), noise: errorOfMedian(ratios) };
}

/** The standard error of a median of normally distributed values, from their quartiles, so that outliers do not count. */
function errorOfMedian(values: readonly number[]): number {
  const deviation = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.349;
  return (1.253 * deviation) / Math.sqrt(values.length);
}

/** Seconds of one round of a warm-up, and how many rounds are compared with as many before them. */
const warmUpRoundSeconds = 1;
const compared = 3;
/** The rate of code that V8 has optimized no longer rises by more than this share. */
const steadyShare = 0.03;

/**
 * Runs rounds until the rate by CPU time no longer rises: V8 goes on to optimize code for many seconds.
 * @param measure runs one round of the given number of seconds
 * @returns whether the steady state was reached within `mostSeconds`
 */
export async function warmUp(
  measure: (seconds: number) => Promise<Round>,
  mostSeconds: number,
): Promise<boolean> {
  const rates: number[] = [];
  while (rates.length * warmUpRoundSeconds < mostSeconds) {
    rates.push(rateOf(await measure(warmUpRoundSeconds)));
    if (rates.length < 2 * compared) continue;
    const earlier = median(rates.slice(-2 * compared, -compared));
    if (median(rates.slice(-compared)) <= earlier * (1 + steadyShare)) return true;
  }
  return false;
}
