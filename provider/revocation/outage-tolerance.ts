import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';

export interface OutageToleranceOptions {
  /** Asks the stores a simple question. They can answer it whenever they work. */
  probe(): Promise<unknown>;
  clock: Clock;
  /** For how long after the last answer tokens are accepted unchecked; 0 for never. */
  toleratedSeconds: number;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** Whether a token that is good otherwise was revoked; `unchecked` while that cannot be known and is tolerated. */
export type TokenStatus = 'active' | 'revoked' | 'unchecked';

export interface OutageTolerance {
  /**
   * @param isActive asks the stores whether the token is still good
   * @param isKnownRevoked asks a store that may answer during the outage whether it has the revocation; false or an
   *   error means that it does not know. Asked during a tolerated outage only
   * @throws StoreUnavailable during an outage that is not tolerated
   */
  statusOf(isActive: () => Promise<boolean>, isKnownRevoked?: () => Promise<boolean>): Promise<TokenStatus>;
  start(): void;
  stop(): void;
}

const probeMs = 1000;
/** For how long the stores need not be asked while there is no outage. */
const longestRestMs = 5000;

/**
 * An outage begins when a question fails and no other question was answered since it was asked. A store that is only
 * overloaded still answers some questions, so overloading it never lets a revoked token in. During the outage no
 * request waits for the store; probes find out when the store works again. The tolerated time counts from the last
 * answer. So a process without traffic does not tolerate an outage longer because it noticed the outage late. For this
 * reason, probes also run from time to time when there is no traffic.
 */
export function createOutageTolerance(options: OutageToleranceOptions): OutageTolerance {
  const { clock, logger, toleratedSeconds } = options;
  const restMs = Math.min(longestRestMs, toleratedSeconds * 250);
  let answers = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let outage: 'none' | 'tolerated' | 'expired' = 'none';
  let probing = false;
  let timer: NodeJS.Timeout | undefined;

  const isInTime = () => {
    const age = clock.now() - answeredAt;
    // Negative when the clock was set back: then the age is unknown.
    return toleratedSeconds > 0 && age >= 0 && age <= toleratedSeconds * 1000;
  };

  const answered = () => {
    answers += 1;
    answeredAt = clock.now();
    if (outage !== 'none') logger.info({}, 'verify: revocations are checked again');
    outage = 'none';
  };

  const unanswered = () => {
    if (outage !== 'none' || !isInTime()) return;
    outage = 'tolerated';
    logger.warn({ seconds: toleratedSeconds }, 'verify: outage tolerated, accepting tokens unchecked');
  };

  const isTolerated = () => {
    if (outage !== 'tolerated' || isInTime()) return outage === 'tolerated';
    outage = 'expired';
    logger.warn({ seconds: toleratedSeconds }, 'verify: outage tolerance expired, answering 503');
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
    const age = clock.now() - answeredAt;
    if (probing || (outage === 'none' && age >= 0 && age < restMs)) return;
    probing = true;
    await ask(options.probe).catch(() => undefined);
    probing = false;
  };

  const statusDuringOutage = async (isKnownRevoked?: () => Promise<boolean>): Promise<TokenStatus> =>
    (await isKnownRevoked?.().catch(() => false)) ? 'revoked' : 'unchecked';

  return {
    statusOf: async (isActive, isKnownRevoked) => {
      if (isTolerated()) return statusDuringOutage(isKnownRevoked);
      try {
        return (await ask(isActive)) ? 'active' : 'revoked';
      } catch (error) {
        if (isTolerated()) return statusDuringOutage(isKnownRevoked);
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
