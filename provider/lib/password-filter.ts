import { createHash } from 'node:crypto';

/*
 * The format of the file that `gatehouse passwords blocklist build` writes: a Bloom filter over SHA-1 digests. It holds
 * about a thousandth of the text of a breach list, and needs no memory, because a check reads single bytes of the file.
 * SHA-1 is the digest that breach lists are published in. It protects nothing here.
 *
 * Header, 32 bytes: the 8 bytes 'GHPWFLT1', the number of bits (8 bytes, unsigned, big endian), the number of entries (8
 * bytes), 8 bytes zero. The bits follow, the lowest bit of each byte first.
 */

const magic = 'GHPWFLT1';

export const filterHeaderBytes = 32;

/** With 15 bits and 10 reads for each entry, about one in 1,300 passwords that are not in the list is refused. */
const bitsPerEntry = 15;
const reads = 10;

export interface FilterHeader {
  /** A multiple of 8. */
  bits: number;
  entries: number;
}

/** Gives the size of a filter for this many entries. */
export const filterSize = (entries: number): FilterHeader => ({
  bits: Math.max(8, Math.ceil((entries * bitsPerEntry) / 8) * 8),
  entries,
});

export function writeFilterHeader({ bits, entries }: FilterHeader): Buffer {
  const header = Buffer.alloc(filterHeaderBytes);
  header.write(magic, 'latin1');
  header.writeBigUInt64BE(BigInt(bits), 8);
  header.writeBigUInt64BE(BigInt(entries), 16);
  return header;
}

/** Gives undefined for bytes that are no such header. */
export function readFilterHeader(header: Buffer): FilterHeader | undefined {
  if (header.length < filterHeaderBytes || header.toString('latin1', 0, 8) !== magic) return undefined;
  const bits = Number(header.readBigUInt64BE(8));
  const isPossible = Number.isSafeInteger(bits) && bits > 0 && bits % 8 === 0;
  return isPossible ? { bits, entries: Number(header.readBigUInt64BE(16)) } : undefined;
}

/** SHA-1 of a password in UTF-8, as in breach lists. */
export const breachDigest = (password: string) => createHash('sha1').update(password).digest();

/**
 * Gives the positions of the bits of one digest (Kirsch and Mitzenmacher: two independent hashes are enough). All sums
 * stay below 2^53, so they are exact.
 */
export function filterPositions(digest: Buffer, bits: number): number[] {
  const first = digest.readUIntBE(0, 6);
  const second = digest.readUIntBE(6, 6) % bits;
  return Array.from({ length: reads }, (_, index) => (first + index * second) % bits);
}
