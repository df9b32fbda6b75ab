import { z } from 'zod';
import { emailKey } from '../ports/account-store.ts';

/**
 * No white space, no control or invisible characters. A domain may have the two joiners that some scripts need: the
 * conversion to ASCII checks where they are used (RFC 5892, appendix A).
 */
const shape = /^[^@\p{Cc}\p{Cf}\p{Cs}\p{Z}]+@(?:[^@\p{Cc}\p{Cf}\p{Cs}\p{Z}]|[\u200c\u200d])+$/u;

/**
 * What browsers accept in `<input type=email>` (WHATWG HTML §4.10.5.1.5), and letters beyond ASCII in the local part (RFC
 * 6531).
 */
const normalForm =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+@(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/u;

/** The length that an address has in its normal form at most, so that a store can index it. */
const longest = 254;

function isAddress(text: string): boolean {
  if (!shape.test(text)) return false;
  const key = emailKey(text);
  return key.length <= longest && normalForm.test(key);
}

/**
 * An email address, kept as it was typed, without white space around it. Only a mail that arrives proves that an
 * address works, so the check is short: it can be typed into a page, its domain is a host name, and it has at most 254
 * characters (RFC 5321 §4.5.3.1.3, without the angle brackets).
 */
export const emailAddress = z
  .string({ error: 'Give an email address, like name@example.com.' })
  .trim()
  .max(longest, { error: 'An email address has at most 254 characters.', abort: true })
  .refine(isAddress, { error: 'That is no email address. Give one like name@example.com.' });
