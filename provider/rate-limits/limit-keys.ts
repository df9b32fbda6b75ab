import type { ServerKeys } from '../lib/server-keys.ts';
import type { Action, By } from './rules.ts';

/** Names what is counted, so that a copy of a store tells nobody's addresses. */
export type LimitKeys = (action: Action, by: By, ...what: string[]) => string;

export function createLimitKeys(keys: Pick<ServerKeys, 'lookupHashes'>): LimitKeys {
  // Under the newest secret alone: when that is replaced, counting begins anew.
  return (action, by, ...what) => keys.lookupHashes('limit', JSON.stringify([action, by, ...what]))[0];
}
