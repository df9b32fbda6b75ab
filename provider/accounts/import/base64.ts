/**
 * Decodes Base64 as the formats for password hashes write it: standard or URL-safe (RFC 4648 §4, §5), or with `.` for `+`
 * (passlib), with or without padding. Undefined when the text isn't Base64.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/._-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits.replaceAll('.', '+'), 'base64');
}

/** Base64 as PHC strings write it: the standard alphabet, no padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
