/**
 * Decodes the variants of Base64 that formats for password hashes use: standard or URL-safe (RFC 4648 §4, §5), or with
 * `.` instead of `+` (passlib), with or without padding. Gives undefined when the text isn't Base64.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/._-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits.replaceAll('.', '+'), 'base64');
}

/** Encodes to the Base64 of PHC strings: the standard alphabet, without padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
