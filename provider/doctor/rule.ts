import type { Observation } from './observe.ts';

/** What a rule found. A warning does not change the exit code of the command. */
export type Verdict =
  | { state: 'ok' | 'skipped'; message: string }
  | { state: 'failed' | 'warning'; message: string; remedy: string };

/** One rule of API Gateway. Its check reads nothing but the observation. */
export interface DoctorRule {
  /** A short name for scripts. It is never renamed. */
  id: string;
  /** What API Gateway requires, as one sentence. */
  requires: string;
  check(seen: Observation): Verdict;
}

export const ok = (message: string): Verdict => ({ state: 'ok', message });
/** For a rule that can't be checked, with the reason. */
export const skipped = (message: string): Verdict => ({ state: 'skipped', message });
export const failed = (message: string, remedy: string): Verdict => ({ state: 'failed', message, remedy });
export const warning = (message: string, remedy: string): Verdict => ({ state: 'warning', message, remedy });

/** The limits of API Gateway, from its quotas and its pages about JWT authorizers. */
export const gatewayLimits = {
  documentMilliseconds: 1_500,
  documentBytes: 150_000,
  /** The request line and all headers of a request. */
  requestBytes: 10_240,
  /** How long an HTTP API keeps a key set. It does not read the key set again for a key that it has not seen. */
  keyCacheSeconds: 7_200,
} as const;
