import { decodeBase64 } from './base64.ts';

type Pbkdf2Digest = 'sha1' | 'sha256' | 'sha512';

/** A hash that another system made, read from its stored text. */
export type ForeignHash =
  | { scheme: 'bcrypt'; text: string; cost: number }
  | { scheme: 'pbkdf2'; digest: Pbkdf2Digest; iterations: number; salt: Buffer; hash: Buffer }
  | { scheme: 'scrypt'; ln: number; r: number; p: number; salt: Buffer; hash: Buffer }
  | { scheme: 'firebase-scrypt'; ln: number; r: number; p: number; salt: Buffer; hash: Buffer };

/** The reason why a text can't be verified as a hash: what is wrong and what to do. It never contains the text. */
export interface Unreadable {
  problem: string;
}

/**
 * The parameters of a stored hash determine the cost of its verification. So they have limits: about three seconds of
 * one core, and 256 MiB. A hash shorter than 16 bytes would match wrong passwords too often.
 */
const foreignHashLimits = {
  bcryptCost: 15,
  /** Iterations times the number of digests that the length of the hash needs. */
  pbkdf2Blocks: 5_000_000,
  /** N × r × p. Each unit of N × r needs 128 bytes of memory. */
  scryptWork: 2 ** 22,
  scryptMemoryBytes: 256 * 1024 * 1024,
  shortestHashBytes: 16,
  longestHashBytes: 128,
  longestSaltBytes: 1024,
} as const;

const longestText = 4096;
const digestBytes: Record<Pbkdf2Digest, number> = { sha1: 20, sha256: 32, sha512: 64 };

const bcrypt = /^\$2[aby]\$(?<cost>\d\d)\$[./A-Za-z0-9]{53}$/;
const pbkdf2 =
  /^\$pbkdf2(-(?<digest>sha1|sha256|sha512))?\$(i=)?(?<iterations>\d{1,9})(,l=(?<length>\d{1,3}))?\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;
const django = /^pbkdf2_(?<digest>sha1|sha256)\$(?<iterations>\d{1,9})\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;
const scrypt =
  /^\$(?<scheme>scrypt|firebase-scrypt)\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,4}),p=(?<p>\d{1,4})\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;

type Groups = Record<string, string | undefined>;
type Reader = (groups: Groups, text: string) => ForeignHash | Unreadable;

const readers: [RegExp, Reader][] = [
  [bcrypt, ({ cost }, text) => bounded({ scheme: 'bcrypt', text, cost: Number(cost) })],
  [pbkdf2, (groups) => readPbkdf2(groups, decodeBase64(groups.salt ?? ''))],
  [django, (groups) => readPbkdf2(groups, Buffer.from(groups.salt ?? '', 'utf8'))],
  [scrypt, readScrypt],
];

/**
 * Reads bcrypt (`$2a$`, `$2b$`, `$2y$`), PBKDF2 (`$pbkdf2-sha256$…` of passlib and the PHC format, `pbkdf2_sha256$…` of
 * Django), scrypt (`$scrypt$…`, RFC 7914) and Firebase's scrypt in the form that an import stores.
 */
export function readForeignHash(text: string): ForeignHash | Unreadable {
  if (text.length > longestText) return unknown;
  for (const [format, read] of readers) {
    const groups = format.exec(text)?.groups;
    if (groups !== undefined) return read(groups, text);
  }
  return unknown;
}

const unknown: Unreadable = {
  problem:
    "This isn't a hash in a known format. Give an Argon2, bcrypt, PBKDF2 or scrypt hash as the documentation of the import shows it.",
};

function readPbkdf2(groups: Groups, salt: Buffer | undefined): ForeignHash | Unreadable {
  const digest = (groups.digest ?? 'sha1') as Pbkdf2Digest;
  const hash = decodeBase64(groups.hash ?? '');
  if (salt === undefined || hash === undefined) return notBase64;
  if (groups.length !== undefined && Number(groups.length) !== hash.length)
    return { problem: `The hash has ${hash.length} bytes but says l=${groups.length}. It may be cut off.` };
  return bounded({ scheme: 'pbkdf2', digest, iterations: Number(groups.iterations), salt, hash });
}

function readScrypt(groups: Groups): ForeignHash | Unreadable {
  const scheme = groups.scheme as 'scrypt' | 'firebase-scrypt';
  const salt = decodeBase64(groups.salt ?? '');
  const hash = decodeBase64(groups.hash ?? '');
  if (salt === undefined || hash === undefined) return notBase64;
  const [ln, r, p] = [Number(groups.ln), Number(groups.r), Number(groups.p)];
  return bounded({ scheme, ln, r, p, salt, hash });
}

const notBase64: Unreadable = { problem: "Its salt or hash isn't Base64. It may be cut off." };

function bounded(hash: ForeignHash): ForeignHash | Unreadable {
  const problem = costProblem(hash) ?? (hash.scheme === 'bcrypt' ? undefined : lengthProblem(hash));
  return problem === undefined ? hash : { problem };
}

function costProblem(hash: ForeignHash): string | undefined {
  const limits = foreignHashLimits;
  if (hash.scheme === 'bcrypt') {
    if (hash.cost < 4) return 'bcrypt has costs of 4 and more. It may be cut off or altered.';
    return hash.cost > limits.bcryptCost ? tooCostly(`a cost of ${limits.bcryptCost}`) : undefined;
  }
  if (hash.scheme === 'pbkdf2') {
    if (hash.iterations < 1) return 'PBKDF2 has at least one iteration. It may be cut off or altered.';
    const blocks = hash.iterations * Math.ceil(hash.hash.length / digestBytes[hash.digest]);
    return blocks > limits.pbkdf2Blocks
      ? tooCostly(`${limits.pbkdf2Blocks} iterations for each digest in the hash's length`)
      : undefined;
  }
  const { ln, r, p } = hash;
  // RFC 7914 §2: N is a power of 2 above 1 and below 2^(128 × r / 8).
  if (ln < 1 || r < 1 || p < 1 || ln >= 16 * r) return 'These are no parameters of scrypt (RFC 7914 §2).';
  const work = 2 ** ln * r;
  const fits = work * 128 <= limits.scryptMemoryBytes && work * p <= limits.scryptWork;
  return fits ? undefined : tooCostly(`256 MiB (128 × N × r) and N × r × p of 2^22`);
}

const tooCostly = (limit: string) =>
  `Verifying it would cost more than is allowed, which is ${limit}. Leave it out; the person sets a new password.`;

function lengthProblem({ hash, salt }: { hash: Buffer; salt: Buffer }): string | undefined {
  const { shortestHashBytes, longestHashBytes, longestSaltBytes } = foreignHashLimits;
  if (hash.length < shortestHashBytes || hash.length > longestHashBytes)
    return `A hash has ${shortestHashBytes} to ${longestHashBytes} bytes. It may be cut off.`;
  return salt.length > longestSaltBytes ? `A salt has at most ${longestSaltBytes} bytes.` : undefined;
}
