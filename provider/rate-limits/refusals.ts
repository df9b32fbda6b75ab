import { GatehouseError } from '../lib/errors.ts';
import type { Action, By } from './rules.ts';

export interface RefusalDeps {
  logger: { info(fields: Record<string, unknown>, message: string): void };
  limited(action: Action, by: By): void;
}

export interface Refusal {
  by: By;
  waitMs: number;
}

/**
 * Tells and gives the error: the same words for every limit, so that they say nothing of who has an account. Who is refused
 * for what everybody does together isn't told that they tried too often.
 */
export function tooMany(
  { logger, limited }: RefusalDeps,
  action: Action,
  refusal: Refusal & { address: string },
) {
  const { by, waitMs, address } = refusal;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  limited(action, by);
  logger.info({ action, by, address, retryAfterSeconds: seconds }, 'request limited');
  if (by === 'all')
    return new GatehouseError('overloaded', 'Too many people sign in right now. Try again in a moment.', {
      retryAfterSeconds: seconds,
    });
  const wait = seconds === 1 ? '1 second' : `${seconds} seconds`;
  return new GatehouseError('too_many_requests', `Too many tries. Try again in ${wait}.`, {
    retryAfterSeconds: seconds,
  });
}

/** The one that lasts longest; undefined when nothing was refused. */
export function longest(refusals: readonly Refusal[]): Refusal | undefined {
  const refused = refusals.filter(({ waitMs }) => waitMs > 0);
  return refused.sort((one, other) => other.waitMs - one.waitMs)[0];
}
