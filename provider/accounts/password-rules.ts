import { emailKey } from '../ports/account-store.ts';
import { commonPasswords } from './common-passwords.ts';

/** The lengths are in code points. */
export const passwordLength = { shortest: 8, longest: 256 } as const;

/**
 * Characters that a person can't type, so the person could not enter the password again (RFC 8265 §4.2.2 allows none of
 * them): control characters and the replacement character. Half of a surrogate pair is included, because UTF-8 encodes
 * it as the replacement character.
 */
const untypable = /[\p{Cc}\p{Cs}\ufffd]/u;

/**
 * Gives the problems of a new password as sentences; empty when there are none. The length is counted in code points.
 * NIST SP 800-63B requires a minimum length and a check against common passwords. It advises against rules about kinds
 * of characters.
 */
export function passwordProblems(password: string, email: string): string[] {
  const { shortest, longest } = passwordLength;
  const composed = password.normalize('NFC');
  const length = [...composed].length;
  const problems = [];
  if (length < shortest) problems.push(`A password has at least ${shortest} characters. Use a longer one.`);
  if (length > longest) problems.push(`A password has at most ${longest} characters. Use a shorter one.`);
  if (untypable.test(password))
    problems.push("The password holds a character that can't be typed again. Use another one.");
  if (emailKey(password) === emailKey(email))
    problems.push("The password can't be the email address. Use another one.");
  if (commonPasswords.has(composed.toLowerCase()))
    problems.push('This password is among the first to be guessed. Use another one.');
  return problems;
}
