import type { Clock } from '../lib/clock.ts';
import type { Limits } from '../ports/limits.ts';

export interface LocalFallbackDeps {
  /** Counted by all processes together. */
  shared: Limits;
  /** Of this process alone. */
  local: Limits;
  clock: Clock;
  logger: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
  };
  /** Told at every change whether the limits of this process alone are in force. */
  isLocal(local: boolean): void;
}

/** How soon a shared store that failed is asked again. */
const askAgainMs = 2000;

/**
 * The shared limits; and while their store is away the same rules in this process alone, so that nobody is refused for it
 * and no flood gets in. Only who first finds it away waits for it: later it is asked beside the request. Never rejects.
 */
export function createLocalFallback(deps: LocalFallbackDeps): Limits {
  const { shared, local, clock, logger } = deps;
  let awaySince: number | undefined;
  let askAt = 0;

  const failed = (error: unknown) => {
    askAt = clock.now() + askAgainMs;
    if (awaySince !== undefined) return;
    awaySince = clock.now();
    deps.isLocal(true);
    logger.warn({ err: error }, 'limits store is away, each process counts alone');
  };
  const answered = () => {
    if (awaySince === undefined) return;
    const seconds = Math.round((clock.now() - awaySince) / 1000);
    awaySince = undefined;
    deps.isLocal(false);
    logger.info({ seconds }, 'limits store is back');
  };
  const askShared = async <T>(ask: (limits: Limits) => Promise<T>): Promise<T> => {
    const answer = await ask(shared);
    answered();
    return answer;
  };
  const call = async <T>(ask: (limits: Limits) => Promise<T>): Promise<T> => {
    if (awaySince !== undefined) {
      if (clock.now() >= askAt) {
        askAt = clock.now() + askAgainMs;
        void askShared(ask).catch(failed);
      }
      return ask(local);
    }
    try {
      return await askShared(ask);
    } catch (error) {
      failed(error);
      return ask(local);
    }
  };

  return {
    take: (key, rule) => call((limits) => limits.take(key, rule)),
    giveBack: (key, rule) => call((limits) => limits.giveBack(key, rule)),
    attempt: (key, rule) => call((limits) => limits.attempt(key, rule)),
    withdraw: (key) => call((limits) => limits.withdraw(key)),
    forgive: (key, knownSeconds) => call((limits) => limits.forgive(key, knownSeconds)),
  };
}
