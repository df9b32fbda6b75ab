import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { Action, By } from './rules.ts';

/** Which limit refused, and for how many milliseconds. */
export interface Refused {
  by: By;
  waitMs: number;
}

/** Counts and logs a refusal, and gives the error to throw. */
export type Refusal = (action: Action, refused: Refused) => GatehouseError;

/**
 * The text is the same for every limit, so that it doesn't show whether an account exists. A limit that all callers share is
 * the exception: this caller did not try too often, so the error is `overloaded`.
 */
export function createRefusal({
  logger,
  metrics,
}: {
  logger: Pick<Logger, 'info'>;
  metrics: Pick<Metrics, 'limited'>;
}): Refusal {
  return (action, { by, waitMs }) => {
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    const address = currentRequestScope()?.clientAddress ?? 'unknown';
    metrics.limited.inc({ action, by });
    logger.info({ action, by, address, retryAfterSeconds }, 'request limited');
    const options = { retryAfterSeconds };
    if (by === 'all')
      return new GatehouseError(
        'overloaded',
        'Too many people sign in right now. Try again in a moment.',
        options,
      );
    const wait = retryAfterSeconds === 1 ? '1 second' : `${retryAfterSeconds} seconds`;
    return new GatehouseError('too_many_requests', `Too many tries. Try again in ${wait}.`, options);
  };
}
