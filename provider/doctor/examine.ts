import { issuerRules } from './issuer-rules.ts';
import { keyRules } from './key-rules.ts';
import type { Observation } from './observe.ts';
import type { DoctorRule, Verdict } from './rule.ts';
import { tokenRules } from './token-rules.ts';

/** All rules, in the order of the report: first what the other rules depend on. */
export const doctorRules: readonly DoctorRule[] = [...issuerRules, ...keyRules, ...tokenRules];

export type Finding = Verdict & Pick<DoctorRule, 'id' | 'requires'>;

/** Checks an observation with every rule of API Gateway. It does no input or output. */
export function examine(seen: Observation): Finding[] {
  return doctorRules.map(({ id, requires, check }) => ({ id, requires, ...check(seen) }));
}
