import { emailKey } from '../ports/account-store.ts';
import { commonPasswords } from './common-passwords.ts';

/** In code points. */
export const passwordLength = { shortest: 8, longest: 256 } as const;

/**
 * Characters that can't be typed, so that the password couldn't be typed again (RFC 8265 §4.2.2 allows none of them): control
 * characters, and the replacement character. Half of a surrogate pair is included, because it would be hashed as that character.
 */
const untypable = /[\p{Cc}\p{Cs}\ufffd]/u;

/**
 * The problems of a new password, as sentences; empty when there are none. Length is counted in code points. NIST SP 800-63B
 * asks for a length and a list of common passwords, and for no rules about kinds of characters.
 */
export function passwordProblems(password: string, email: string): string[] {
  const { shortest, longest } = passwordLength;
  const composed = password.normalize('NFC');
  const length = [...composed].length;
  const key = emailKey(composed);
  const problems = [];
  if (length < shortest) problems.push(`A password has at least ${shortest} characters. Use a longer one.`);
  if (length > longest) problems.push(`A password has at most ${longest} characters. Use a shorter one.`);
  if (untypable.test(password))
    problems.push("The password holds a character that can't be typed again. Use another one.");
  if (key.trim() === emailKey(email))
    problems.push("The password can't be the email address. Use another one.");
  if (commonPasswords.has(key))
    problems.push('This password is among the first to be guessed. Use another one.');
  return problems;
}
