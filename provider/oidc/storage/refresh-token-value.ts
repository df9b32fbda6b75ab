import { randomToken } from '../../lib/ids.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';

/**
 * A refresh token as the client holds it: `family.count~secret+proof`. The count is its position in the family, the secret
 * has 256 random bits, and the proof is a keyed tag which shows that we issued it. So a token that was spent long ago is
 * recognised, and its reuse noticed, without a row for each token ever issued. It has one dot: with two, the library would
 * take it for a JWT.
 */
export interface RefreshTokenValue {
  /** The text that the client holds. */
  value: string;
  familyId: string;
  count: number;
  /** The keyed hashes by which the store may know it: under the current server secret, then under older ones. */
  hashes: [string, ...string[]];
  /** Whether the proof is right. */
  isOurs(): boolean;
}

const label = 'refresh token';
const shape =
  /^(?<body>(?<familyId>fam_[\w-]{22})\.(?<count>0|[1-9a-z][0-9a-z]{0,7})~[\w-]{43})(?<proof>[\w-]{22})$/;

/** @returns the text of a new refresh token; nothing is stored */
export function newRefreshToken(keys: ServerKeys, familyId: string, count: number): string {
  const body = `${familyId}.${count.toString(36)}~${randomToken(32)}`;
  return `${body}${keys.tag(label, body)}`;
}

/** @returns undefined for a text that cannot be a refresh token of ours */
export function readRefreshToken(keys: ServerKeys, value: string): RefreshTokenValue | undefined {
  const { body, familyId, count, proof } = shape.exec(value)?.groups ?? {};
  if (!body || !familyId || !count || !proof) return undefined;
  return {
    value,
    familyId,
    count: Number.parseInt(count, 36),
    hashes: keys.lookupHashes(label, body),
    isOurs: () => keys.checkTag(label, body, proof),
  };
}
