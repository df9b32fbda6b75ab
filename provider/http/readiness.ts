import type { Clock } from '../lib/clock.ts';
import type { Dependency } from '../ports/dependency.ts';

export interface ReadinessDeps {
  dependencies: readonly Dependency[];
  clock: Clock;
  /** How long a dependency that answered before may be unreachable before this process becomes unready. */
  blipSeconds: number;
  logger: {
    info(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
  metrics: { dependencyUp: { set(value: number, labels: { dependency: string }): void } };
  /** How long a check waits for slow dependencies. The default is 500. */
  patienceMs?: number;
}

export interface ReadinessReport {
  ready: boolean;
  /** The names of the dependencies that don't answer now, whether briefly or for longer. */
  failing: string[];
}

/** Reports whether all dependencies that this process needs are available. */
export interface Readiness {
  /** Asks each dependency at most once a second, however often it is called. It answers within `patienceMs`. */
  check(): Promise<ReadinessReport>;
}

/** A dependency is not asked again within this time. */
const freshMs = 1000;

interface Watched {
  dependency: Dependency;
  askedAt: number;
  /** The current request to the dependency, if it has not ended yet. */
  asking: Promise<void> | undefined;
  answeredOnce: boolean;
  /** The time of the first of the consecutive failed requests. */
  awaySince: number | undefined;
  /** Whether the log already says that the dependency does not answer. */
  told: boolean;
}

/**
 * A short outage of a store must not make every pod unready at once. A process stays ready for `blipSeconds`;
 * meanwhile, requests that need the store get 503 with Retry-After. This does not apply at the start: a dependency that
 * has never answered makes the process unready.
 */
export function createReadiness(deps: ReadinessDeps): Readiness {
  const { clock, patienceMs = 500 } = deps;
  const all = deps.dependencies.map((dependency): Watched => {
    const askedAt = Number.NEGATIVE_INFINITY;
    return { dependency, askedAt, asking: undefined, answeredOnce: false, awaySince: undefined, told: false };
  });
  return {
    check: async () => {
      const questions = all.map((watched) => ask(watched, clock));
      await withinPatience(Promise.all(questions), patienceMs);
      const reports = all.map((watched) => judge(watched, deps));
      return {
        ready: reports.every(({ ready }) => ready),
        failing: reports.filter(({ up }) => !up).map(({ name }) => name),
      };
    },
  };
}

/** Never rejects. A slow dependency is asked again only after the previous request has succeeded or failed. */
function ask(watched: Watched, clock: Clock): Promise<void> | undefined {
  const now = clock.now();
  const age = now - watched.askedAt;
  const isFresh = age >= 0 && age < freshMs;
  if (watched.asking !== undefined || isFresh) return watched.asking;
  watched.askedAt = now;
  const answered = () => {
    watched.answeredOnce = true;
    watched.awaySince = undefined;
  };
  const failed = () => {
    watched.awaySince ??= now;
  };
  watched.asking = watched.dependency
    .ping()
    .then(answered, failed)
    .finally(() => {
      watched.asking = undefined;
    });
  return watched.asking;
}

async function withinPatience(answers: Promise<unknown>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([answers, patience]);
  clearTimeout(timer);
}

function judge(watched: Watched, deps: ReadinessDeps): { name: string; up: boolean; ready: boolean } {
  const { name } = watched.dependency;
  const silentSince = watched.asking === undefined ? undefined : watched.askedAt;
  const since = watched.awaySince ?? silentSince;
  const up = since === undefined;
  const awayMs = up ? 0 : deps.clock.now() - since;
  // Negative when the clock was set back: then it may have been away for any time.
  const tooLong = !up && (awayMs < 0 || awayMs >= deps.blipSeconds * 1000);
  deps.metrics.dependencyUp.set(up ? 1 : 0, { dependency: name });
  tell(watched, { up, tooLong, awayMs }, deps.logger);
  return { name, up, ready: up || (watched.answeredOnce && !tooLong) };
}

function tell(
  watched: Watched,
  { up, tooLong, awayMs }: { up: boolean; tooLong: boolean; awayMs: number },
  logger: ReadinessDeps['logger'],
): void {
  const dependency = watched.dependency.name;
  if (tooLong && !watched.told) {
    watched.told = true;
    logger.error({ dependency, seconds: Math.round(awayMs / 1000) }, 'dependency does not answer');
  }
  if (up && watched.told) {
    watched.told = false;
    logger.info({ dependency }, 'dependency answers again');
  }
}
