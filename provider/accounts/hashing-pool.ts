import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Tracing } from '../lib/tracing.ts';

/** Who a job is for. Outside of a request both are undefined; then only the bounds of the whole pool apply. */
export interface HashingCaller {
  account?: string | undefined;
  network?: string | undefined;
}

export interface HashingPoolOptions {
  /**
   * The number of jobs that run at the same time, at least 1. More than the number of cores is not faster. Hashing runs
   * on the threads of libuv (4, unless UV_THREADPOOL_SIZE sets another number). These threads also read files and resolve
   * host names. So this number must be less than the number of threads. Otherwise all of that work
   * waits for hashes.
   */
  concurrency: number;
  /** The number of jobs that may wait in addition, at least 0. */
  queueLimit: number;
  clock: Clock;
  /** Who the current request comes from. Default: all jobs are equal. */
  caller?: (() => HashingCaller) | undefined;
  /** Default: nothing is measured. */
  metrics?: Partial<Pick<Metrics, 'hashingQueueDepth' | 'hashingWait' | 'hashingRefused'>> | undefined;
  /** Called after each job, in the context of the job's request: the time that it waited, and the cost given to `run`. */
  onHashed?: ((times: { waitMs: number; costMs: number }) => void) | undefined;
  /** Records each job as a span of the current request, with its work as a child span. Default: no spans. */
  tracing?: Tracing | undefined;
}

export interface HashingPool {
  /**
   * Runs the job when it is its turn and there is capacity. Throws `overloaded` when the queue is full, and
   * `too_many_requests` when too many jobs for the same account wait. Both can also happen while the job waits: then it
   * gave its place to another network.
   * @param costMs how long the job takes at most, calculated from the parameters of the hash. Default: 0
   * @param who Default: the caller of the current request
   */
  run<T>(job: () => Promise<T>, costMs?: number, who?: HashingCaller): Promise<T>;
  /**
   * Throws the same as `run` would. Call it before other work, so that a request that will be refused costs little.
   */
  ensureRoom(): void;
}

interface Running extends HashingCaller {
  startedAt: number;
}

interface Job extends HashingCaller {
  /** The job with the lowest turn starts next. */
  turn: number;
  start: (entry: Running) => void;
  refuse: (error: GatehouseError) => void;
}

type Refused = 'overloaded' | 'too_many_requests';

const refusals: Record<Refused, string> = {
  overloaded: 'Too many people sign in right now. Try again in a moment.',
  too_many_requests: 'Too many sign-ins to this account run at the same time. Try again in a moment.',
};

const retryAfterSeconds = 2;

/**
 * Creates a pool for jobs that each use a whole core. A bounded number of jobs runs at the same time, and a bounded
 * number waits.
 *
 * A caller with many jobs does not delay the others. Networks take turns, however many jobs each of them has. When the
 * queue is full, the network with the most waiting jobs gives a place to a network that has fewer. The jobs of one
 * account use at most half of the slots, and half of the queue. If there are three slots or more, one network does not
 * use the last one.
 */
export function createHashingPool(options: HashingPoolOptions): HashingPool {
  const { concurrency, queueLimit, clock, caller = () => ({}), metrics, onHashed, tracing } = options;
  const mostWaitingOfAccount = Math.ceil(queueLimit / 2);
  const slots = { account: Math.ceil(concurrency / 2), network: Math.max(2, concurrency - 1) };
  const running = new Set<Running>();
  /** In order of arrival. */
  const waiting: Job[] = [];
  const turns = createTurns(concurrency + queueLimit);

  const mayStart = (who: HashingCaller) =>
    running.size < concurrency &&
    (['account', 'network'] as const).every((by) => sameAs(who, by, running).length < slots[by]);

  const refusal = (code: Refused) => {
    metrics?.hashingRefused?.inc();
    return new GatehouseError(code, refusals[code], { retryAfterSeconds });
  };

  /** The job that gives its place to a new job of this caller, if none is free. Throws when there is no such job. */
  const findRoom = (who: HashingCaller): { job: Job; code: Refused } | undefined => {
    if (mayStart(who)) return undefined;
    const ofAccount = sameAs(who, 'account', waiting);
    const isFull = waiting.length >= queueLimit;
    const isAccountFull = ofAccount.length >= mostWaitingOfAccount;
    if (!isFull && !isAccountFull) return undefined;
    const code = isFull ? 'overloaded' : 'too_many_requests';
    const rivals = isAccountFull ? ofAccount : waiting;
    const job = lastOfLargestNetwork(rivals, who.network);
    if (job === undefined) throw refusal(code);
    return { job, code };
  };

  const leaveQueue = (job: Job) => {
    waiting.splice(waiting.indexOf(job), 1);
    metrics?.hashingQueueDepth?.set(waiting.length);
  };

  const begin = ({ account, network }: HashingCaller, turn: number): Running => {
    const entry = { account, network, startedAt: clock.now() };
    running.add(entry);
    turns.started(turn);
    return entry;
  };

  const startWaiting = () => {
    for (;;) {
      const [first, ...others] = waiting.filter(mayStart);
      if (first === undefined) return;
      const next = others.reduce((best, job) => (job.turn < best.turn ? job : best), first);
      leaveQueue(next);
      next.start(begin(next, next.turn));
    }
  };

  const takeTurn = (who: HashingCaller): Running | Promise<Running> => {
    const room = findRoom(who);
    if (room) {
      leaveQueue(room.job);
      turns.giveBack(room.job);
      room.job.refuse(refusal(room.code));
    }
    const turn = turns.take(who.network);
    if (mayStart(who)) return begin(who, turn);
    return new Promise((start, refuse) => {
      waiting.push({ ...who, turn, start, refuse });
      metrics?.hashingQueueDepth?.set(waiting.length);
    });
  };

  const runInTurn = async <T>(job: () => Promise<T>, costMs: number, who: HashingCaller): Promise<T> => {
    const arrivedAt = clock.now();
    const taken = takeTurn(who);
    const entry = taken instanceof Promise ? await taken : taken;
    const waitMs = entry.startedAt - arrivedAt;
    try {
      metrics?.hashingWait?.observe(waitMs / 1000);
      return await (tracing ? tracing.span('hash password: work', {}, job) : job());
    } finally {
      running.delete(entry);
      startWaiting();
      onHashed?.({ waitMs, costMs });
    }
  };

  return {
    ensureRoom: () => void findRoom(caller()),
    run: (job, costMs = 0, who = caller()) => {
      const run = () => runInTurn(job, costMs, who);
      return tracing ? tracing.span('hash password', {}, run) : run();
    },
  };
}

/** The others of the same account or network. Callers that are not known have nothing in common. */
function sameAs<Other extends HashingCaller>(
  who: HashingCaller,
  by: 'account' | 'network',
  others: Iterable<Other>,
): Other[] {
  return who[by] === undefined ? [] : [...others].filter((other) => other[by] === who[by]);
}

/** The last job of the network that has the most, if it has more than `network` would have with one more. */
function lastOfLargestNetwork(jobs: readonly Job[], network: string | undefined): Job | undefined {
  const counts = new Map<string | undefined, number>();
  for (const job of jobs) counts.set(job.network, (counts.get(job.network) ?? 0) + 1);
  const most = [...counts.values()].reduce((one, other) => Math.max(one, other), 0);
  if (most <= (counts.get(network) ?? 0) + 1) return undefined;
  return jobs.findLast((job) => counts.get(job.network) === most);
}

/**
 * The order of jobs (start-time fair queueing: Goyal, Vin and Cheng, 1996). The jobs of one network have turns one after
 * the other. A network that had no job before starts at the current turn. So each network has one job in each turn.
 * @param most how many jobs there can be. The current turn also grows with each start, at least by one for so many
 *   starts. So a job starts in the end although new networks come all the time.
 */
function createTurns(most: number) {
  const next = new Map<string | undefined, number>();
  let current = 0;
  return {
    take: (network: string | undefined): number => {
      const turn = Math.max(current, next.get(network) ?? 0);
      next.set(network, turn + 1);
      return turn;
    },
    giveBack: ({ network, turn }: Job): void => {
      if (next.get(network) === turn + 1) next.set(network, turn);
    },
    started: (turn: number): void => {
      current = Math.max(current + 1 / most, turn);
      for (const [network, turnOfNetwork] of next) if (turnOfNetwork <= current) next.delete(network);
    },
  };
}

/** More costly checks than this wait for so long that people give up. */
const costlyQueueLimit = 8;

/**
 * A lane for jobs that take much longer than others, such as checks of costly hashes: it runs one at a time, so that two of them
 * never hold all slots of `pool`. The job takes a slot of the pool, so that there are never more threads in use than
 * `concurrency` says. A pool with one slot has none to spare: there the job runs beside it.
 *
 * @param options those of `pool`
 */
export function createCostlyLane(
  pool: Pick<HashingPool, 'run'>,
  { concurrency, queueLimit, clock, caller, metrics, onHashed, tracing }: HashingPoolOptions,
): Pick<HashingPool, 'run'> {
  const own = { concurrency: 1, queueLimit: Math.min(queueLimit, costlyQueueLimit), clock, caller };
  const counted = metrics?.hashingRefused && { hashingRefused: metrics.hashingRefused };
  if (concurrency === 1) return createHashingPool({ ...own, metrics: counted, onHashed, tracing });
  // The pool reports the cost, and the time that the job waits there.
  const waited = ({ waitMs }: { waitMs: number }) => onHashed?.({ waitMs, costMs: 0 });
  const lane = createHashingPool({ ...own, metrics: counted, onHashed: waited });
  // In the pool the lane is one caller of its own. Otherwise a network that has many jobs there would hold up the lane.
  return { run: (job, costMs) => lane.run(() => pool.run(job, costMs, {})) };
}
