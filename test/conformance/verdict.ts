import type { Expected } from './files.ts';
import type { ModuleResult } from './suite.ts';

/**
 * What is wrong with the result of a module.
 * @param allowed the expectation for this module and plan
 * @returns a sentence, or undefined if the result is as expected
 */
export function problemOf(
  { result, conditions }: Pick<ModuleResult, 'result' | 'conditions'>,
  allowed: Expected | undefined,
): string | undefined {
  const wanted = allowed?.result ?? 'PASSED';
  if (result !== wanted) return `is ${result}, not ${wanted}${listed(conditions)}`;
  const known = allowed?.conditions ?? [];
  const added = conditions.filter((condition) => !known.includes(condition));
  if (added.length > 0) return `is ${result} as expected, but has new problems${listed(added)}`;
  const gone = known.filter((condition) => !conditions.includes(condition));
  return gone.length > 0 ? `no longer has the expected problems${listed(gone)}: remove them` : undefined;
}

const listed = (conditions: string[]) => (conditions.length > 0 ? ` (${conditions.join(', ')})` : '');

/** The expectation for a module in a plan. */
export function expectedFor(
  expected: readonly Expected[],
  plan: string,
  module: string,
): Expected | undefined {
  return expected.find((one) => one.module === module && (one.plans?.includes(plan) ?? true));
}
