/** What it costs to check one password against a stored hash. */
export interface HashCost {
  /** Milliseconds of one core. An estimate for a slow server, so most machines need less. */
  ms: number;
  memoryKib: number;
}

/**
 * The stored hash decides what its check costs, so there is a bound, the same for every scheme. A check that costs more than
 * `laneMs` waits for its turn among the costly checks, so that these leave room for all others.
 */
export const hashCostBound = { ms: 2500, memoryKib: 262_144, laneMs: 800 } as const;

/** Argon2 fills its memory in blocks of 1 KiB, once in each pass (RFC 9106 §3.2). Lanes share this work. */
export const argon2Cost = (memoryKib: number, passes: number): HashCost => ({
  ms: (memoryKib * passes) / 1024,
  memoryKib,
});

/** bcrypt expands its key 2^cost times. */
export const bcryptCost = (cost: number): HashCost => ({ ms: 2 ** cost / 16, memoryKib: 4 });

/** @param blocks iterations times the number of digests in the length of the hash (RFC 8018 §5.2) */
export const pbkdf2Cost = (blocks: number): HashCost => ({ ms: blocks / 2000, memoryKib: 0 });

/** scrypt fills and reads N blocks of 128 × r bytes, p times (RFC 7914 §5). */
export const scryptCost = ({ ln, r, p }: { ln: number; r: number; p: number }): HashCost => ({
  ms: (2 ** ln * r * p) / 2048,
  memoryKib: (r * Math.max(2 ** ln, p)) / 8,
});

/** Whether the check runs in the lane for costly hashes. */
export const isCostly = ({ ms }: HashCost): boolean => ms > hashCostBound.laneMs;

/** Why a hash with this cost is never checked; undefined when it is. */
export function costProblem({ ms, memoryKib }: HashCost): string | undefined {
  const { ms: mostMs, memoryKib: mostMemoryKib } = hashCostBound;
  if (ms <= mostMs && memoryKib <= mostMemoryKib) return undefined;
  const memory = memoryKib < 1024 ? '' : ` and ${printable(memoryKib / 1024)} MiB`;
  const needs = `${printable(ms / 1000)} seconds of one core${memory}`;
  const allowed = `${mostMs / 1000} seconds and ${mostMemoryKib / 1024} MiB`;
  return `Verifying it would cost about ${needs}. At most ${allowed} are allowed. Leave it out; the person sets a new password.`;
}

const printable = (value: number) => (value < 100_000 ? String(Math.ceil(value * 10) / 10) : 'too many');
