import { decodeBase64 } from './base64.ts';
import { bcryptCost, costProblem, type HashCost, pbkdf2Cost, scryptCost } from './hash-cost.ts';

type Pbkdf2Digest = 'sha1' | 'sha256' | 'sha512';

interface Derived {
  salt: Buffer;
  hash: Buffer;
  cost: HashCost;
}

interface ScryptDerived extends Derived {
  ln: number;
  r: number;
  p: number;
}

/** A hash that another system made, read from its stored text. */
export type ForeignHash =
  /** `digested`: what bcrypt hashes is the SHA-256 of the password, in hex. */
  | { scheme: 'bcrypt'; text: string; digested: boolean; cost: HashCost }
  | ({ scheme: 'pbkdf2'; digest: Pbkdf2Digest; iterations: number } & Derived)
  | ({ scheme: 'scrypt' } & ScryptDerived)
  | ({ scheme: 'firebase-scrypt' } & ScryptDerived);

/** The reason why a text can't be verified as a hash: what is wrong and what to do. It never contains the text. */
export interface Unreadable {
  problem: string;
}

/** A hash shorter than 16 bytes would match wrong passwords too often. */
const lengths = { shortestHash: 16, longestHash: 128, longestSalt: 1024 } as const;
const longestText = 4096;
const digestBytes: Record<Pbkdf2Digest, number> = { sha1: 20, sha256: 32, sha512: 64 };

const bcrypt = /^(?:(?<digested>bcrypt_sha256\$)|bcrypt\$)?(?<text>\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/;
const pbkdf2 =
  /^\$pbkdf2(-(?<digest>sha1|sha256|sha512))?\$(i=)?(?<iterations>0|[1-9]\d{0,8})(,l=(?<length>0|[1-9]\d{0,2}))?\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;
const djangoPbkdf2 =
  /^pbkdf2_(?<digest>sha1|sha256)\$(?<iterations>0|[1-9]\d{0,8})\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;
const scrypt =
  /^\$(?<scheme>scrypt|firebase-scrypt)\$ln=(?<ln>0|[1-9]\d{0,8}),r=(?<r>0|[1-9]\d{0,3}),p=(?<p>0|[1-9]\d{0,3})\$(?<salt>[^$]*)\$(?<hash>[^$]+)$/;
const djangoScrypt =
  /^scrypt\$(?<n>0|[1-9]\d{0,8})\$(?<salt>[^$]*)\$(?<r>0|[1-9]\d{0,3})\$(?<p>0|[1-9]\d{0,3})\$(?<hash>[^$]+)$/;
const wrapped = /^(?<base64>[A-Za-z0-9+/_-]{40,}={0,2})$/;

type Groups = Record<string, string | undefined>;
type Reader = (groups: Groups) => ForeignHash | Unreadable;

const readers: [RegExp, Reader][] = [
  [bcrypt, readBcrypt],
  [pbkdf2, (groups) => readPbkdf2(groups, decodeBase64(groups.salt ?? ''))],
  [djangoPbkdf2, (groups) => readPbkdf2(groups, textSalt(groups))],
  [scrypt, (groups) => readScrypt(groups, decodeBase64(groups.salt ?? ''), logOf(Number(groups.ln)))],
  [djangoScrypt, (groups) => readScrypt(groups, textSalt(groups), Math.log2(Number(groups.n)))],
  [wrapped, ({ base64 = '' }) => readWrapped(decodeBase64(base64) ?? Buffer.alloc(0))],
];

/**
 * Reads bcrypt (`$2a$`, `$2b$`, `$2y$`, also as Django and Dex write it), PBKDF2 (`$pbkdf2-sha256$…` of passlib and the PHC
 * format, `pbkdf2_sha256$…` of Django, and the Base64 of ASP.NET Identity), scrypt (`$scrypt$…`, RFC 7914, also as Kratos and
 * Django write it) and Firebase's scrypt as an import stores it.
 */
export function readForeignHash(text: string): ForeignHash | Unreadable {
  if (text.length > longestText) return unknown;
  for (const [format, read] of readers) {
    const groups = format.exec(text)?.groups;
    if (groups !== undefined) return read(groups);
  }
  return unknown;
}

const unknown: Unreadable = {
  problem:
    "This isn't a hash in a known format. Give an Argon2, bcrypt, PBKDF2 or scrypt hash as the documentation of the import shows it.",
};

/** Django's salts are text that is used as it is. */
const textSalt = ({ salt = '' }: Groups) => Buffer.from(salt, 'utf8');

function readBcrypt({ text = '', digested }: Groups): ForeignHash | Unreadable {
  const cost = Number(text.slice(4, 6));
  if (cost < 4) return { problem: 'bcrypt has costs of 4 and more. It may be cut off or altered.' };
  return bounded({
    scheme: 'bcrypt',
    text: withoutStrayBits(text),
    digested: digested !== undefined,
    cost: bcryptCost(cost),
  });
}

const bcryptDigits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * The last digits of salt and hash hold four and two bits that mean nothing. Some systems write them, and the original
 * implementation ignores them in a salt. The library compares them, so it would refuse the right password.
 */
function withoutStrayBits(text: string): string {
  const cleared = (index: number, stray: number) => {
    const digit = bcryptDigits.indexOf(text.charAt(index));
    return bcryptDigits.charAt(digit - (digit % 2 ** stray));
  };
  return text.slice(0, 28) + cleared(28, 4) + text.slice(29, 59) + cleared(59, 2);
}

function readPbkdf2(groups: Groups, salt: Buffer | undefined): ForeignHash | Unreadable {
  const digest = (groups.digest ?? 'sha1') as Pbkdf2Digest;
  const hash = decodeBase64(groups.hash ?? '');
  if (salt === undefined || hash === undefined) return notBase64;
  if (groups.length !== undefined && Number(groups.length) !== hash.length)
    return { problem: `The hash has ${hash.length} bytes but says l=${groups.length}. It may be cut off.` };
  return pbkdf2Of(digest, Number(groups.iterations), salt, hash);
}

function pbkdf2Of(digest: Pbkdf2Digest, iterations: number, salt: Buffer, hash: Buffer) {
  if (iterations < 1) return { problem: 'PBKDF2 has at least one iteration. It may be cut off or altered.' };
  const cost = pbkdf2Cost(iterations * Math.ceil(hash.length / digestBytes[digest]));
  return bounded({ scheme: 'pbkdf2', digest, iterations, salt, hash, cost });
}

/**
 * `ln` is the logarithm of N in the PHC format; Kratos writes N there. A logarithm of 32 would need 4 TiB of memory, so larger
 * numbers are N.
 */
const logOf = (ln: number) => (ln < 32 ? ln : Math.log2(ln));

/** @param ln the logarithm of N; not a whole number when N was no power of 2 */
function readScrypt(groups: Groups, salt: Buffer | undefined, ln: number): ForeignHash | Unreadable {
  const scheme = groups.scheme === 'firebase-scrypt' ? 'firebase-scrypt' : 'scrypt';
  const hash = decodeBase64(groups.hash ?? '');
  if (salt === undefined || hash === undefined) return notBase64;
  const [r, p] = [Number(groups.r), Number(groups.p)];
  // RFC 7914 §2: N is a power of 2 above 1 and below 2^(128 × r / 8).
  if (!Number.isInteger(ln) || ln < 1 || r < 1 || p < 1 || ln >= 16 * r)
    return { problem: 'These are no parameters of scrypt (RFC 7914 §2).' };
  return bounded({ scheme, ln, r, p, salt, hash, cost: scryptCost({ ln, r, p }) });
}

/** Base64 of a bcrypt text, as Dex stores it, or of a hash of ASP.NET Identity. */
function readWrapped(bytes: Buffer): ForeignHash | Unreadable {
  if (bytes[0] === 0 && bytes.length === 49)
    return pbkdf2Of('sha1', 1000, bytes.subarray(1, 17), bytes.subarray(17));
  if (bytes[0] === 1 && bytes.length > 13) return readIdentityV3(bytes);
  const groups = bcrypt.exec(bytes.toString('latin1'))?.groups;
  return groups === undefined ? unknown : readBcrypt(groups);
}

const identityDigests: readonly (Pbkdf2Digest | undefined)[] = ['sha1', 'sha256', 'sha512'];

/** ASP.NET Identity's version 3: a 1, then digest, iterations and length of the salt in 4 bytes each, then salt and hash. */
function readIdentityV3(bytes: Buffer): ForeignHash | Unreadable {
  const digest = identityDigests[bytes.readUInt32BE(1)];
  const hashAt = 13 + bytes.readUInt32BE(9);
  if (digest === undefined || hashAt > bytes.length) return unknown;
  return pbkdf2Of(digest, bytes.readUInt32BE(5), bytes.subarray(13, hashAt), bytes.subarray(hashAt));
}

const notBase64: Unreadable = { problem: "Its salt or hash isn't Base64. It may be cut off." };

function bounded(hash: ForeignHash): ForeignHash | Unreadable {
  const problem = costProblem(hash.cost) ?? (hash.scheme === 'bcrypt' ? undefined : lengthProblem(hash));
  return problem === undefined ? hash : { problem };
}

function lengthProblem({ hash, salt }: Derived): string | undefined {
  const { shortestHash, longestHash, longestSalt } = lengths;
  if (hash.length < shortestHash || hash.length > longestHash)
    return `A hash has ${shortestHash} to ${longestHash} bytes. It may be cut off.`;
  return salt.length > longestSalt ? `A salt has at most ${longestSalt} bytes.` : undefined;
}
