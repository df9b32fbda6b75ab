import { emailKey } from '../ports/account-store.ts';
import { commonPasswords } from './common-passwords.ts';

/** In code points. */
export const passwordLength = { shortest: 8, longest: 256 } as const;

/**
 * Characters nobody types, so that the password couldn't be typed again (RFC 8265 §4.2.2 takes none of them): control
 * characters, and what stands for one that was lost on the way, as which half a surrogate pair would be hashed too.
 */
const untypable = /[\p{Cc}\p{Cs}\ufffd]/u;

/**
 * What is wrong with a new password, in sentences; empty when nothing is. Length is counted in code points.
 * Length and a list of what is tried first, and no rules about kinds of characters: NIST SP 800-63B.
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
