import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';

export interface OutageToleranceDeps {
  /** Asks the stores something that they answer whenever they answer at all. */
  probe(): Promise<unknown>;
  clock: Clock;
  /** How long after revocations were last known here tokens are let in without; 0 for never. */
  toleratedSeconds: number;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** What to do while nobody can say whether a token was revoked. */
export interface OutageTolerance {
  /**
   * @param question whether a token that is good otherwise still stands
   * @param isKnownDead whether a store that answers nonetheless has it that the token was revoked; one that hasn't, or
   *   doesn't answer, says nothing. Asked during an outage that is tolerated only
   * @returns `unchecked` during an outage that is tolerated still
   * @throws StoreUnavailable during one that isn't
   */
  standing(
    question: () => Promise<boolean>,
    isKnownDead?: () => Promise<boolean>,
  ): Promise<'live' | 'dead' | 'unchecked'>;
  start(): void;
  stop(): void;
}

const nobodyKnows = async () => false;
const probeMs = 1000;
/** How long nothing needs to be asked, without an outage. */
const longestRestMs = 5000;

/**
 * An outage is that a question failed, and that no other was answered since it was put: a store that merely has too much
 * to do answers some, and nobody who gives it too much to do gets a revoked token in. From then on nobody waits for the
 * store; probes find out when it is back. The time tolerated counts from when it last answered, so an outage that a quiet
 * process notices late isn't tolerated longer: that is why it is asked now and then when nobody else asks.
 */
export function createOutageTolerance(deps: OutageToleranceDeps): OutageTolerance {
  const { clock, logger, toleratedSeconds } = deps;
  const restMs = Math.min(longestRestMs, toleratedSeconds * 250);
  let answers = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let outage: 'none' | 'tolerated' | 'too long' = 'none';
  let probing = false;
  let timer: NodeJS.Timeout | undefined;

  const isInTime = () => toleratedSeconds > 0 && clock.now() - answeredAt <= toleratedSeconds * 1000;

  const answered = () => {
    answers += 1;
    answeredAt = clock.now();
    if (outage !== 'none') logger.info({}, 'revocations can be looked up again');
    outage = 'none';
  };

  const unanswered = () => {
    if (outage !== 'none' || !isInTime()) return;
    outage = 'tolerated';
    logger.warn({ seconds: toleratedSeconds }, 'gateways are told yes without a look at revocations');
  };

  const isTolerated = () => {
    if (outage !== 'tolerated' || isInTime()) return outage === 'tolerated';
    outage = 'too long';
    logger.warn({ seconds: toleratedSeconds }, 'gateways are told yes no more without a look at revocations');
    return false;
  };

  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    const before = answers;
    try {
      const answer = await question();
      answered();
      return answer;
    } catch (error) {
      const isAway = error instanceof GatehouseError && error.code === 'store_unavailable';
      if (isAway && before === answers) unanswered();
      throw error;
    }
  };

  const probe = async () => {
    if (probing || (outage === 'none' && clock.now() - answeredAt < restMs)) return;
    probing = true;
    await ask(deps.probe).catch(() => undefined);
    probing = false;
  };

  const asFarAsKnown = async (isKnownDead: () => Promise<boolean>) =>
    (await isKnownDead().catch(() => false)) ? 'dead' : 'unchecked';

  return {
    standing: async (question, isKnownDead = nobodyKnows) => {
      if (isTolerated()) return asFarAsKnown(isKnownDead);
      try {
        return (await ask(question)) ? 'live' : 'dead';
      } catch (error) {
        if (isTolerated()) return asFarAsKnown(isKnownDead);
        throw error;
      }
    },
    start: () => {
      if (toleratedSeconds === 0) return;
      void probe();
      timer = setInterval(() => void probe(), probeMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
