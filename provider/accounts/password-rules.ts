import { GatehouseError } from '../lib/errors.ts';
import { type Account, emailKey } from '../ports/account-store.ts';
import type { PasswordBlocklist } from '../ports/password-blocklist.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { SecondFactorPolicy } from './second-factor-gate.ts';
import { needsFactor } from './sign-in.ts';

export interface PasswordRuleOptions {
  /** The length that a new password has at least, in code points. */
  shortest: number;
  /** For accounts that have a second factor, and for those that must add one at the next sign-in. */
  secondFactor?: { shortest: number; policy: SecondFactorPolicy } | undefined;
  /** Lists in addition to the packaged dictionary, in the order in which they are asked. */
  blocklists: readonly PasswordBlocklist[];
}

/** The rules for a new password. Passwords that exist stay valid until they are changed. */
export interface PasswordRules {
  /** The lengths that a new password of this account may have, in code points. */
  lengthFor(owner?: PasswordOwner): PasswordLength;
  /** Gives the problems of a new password as sentences; empty when there are none. */
  problems(password: string, email: string, owner?: PasswordOwner): Promise<string[]>;
}

/** What decides whether the password is the only factor. Left out for an account whose roles are not known yet. */
export type PasswordOwner = Pick<Account, 'hasSecondFactor' | 'roles'>;

export interface PasswordLength {
  shortest: number;
  longest: number;
}

/** Throws `validation_failed` for the field if the new password breaks a rule. */
export async function requireAllowedPassword(
  rules: Pick<PasswordRules, 'problems'>,
  { password, email, pointer }: { password: string; email: string; pointer: string },
): Promise<void> {
  const problems = await rules.problems(password, email);
  if (problems.length === 0) return;
  const fields = problems.map((message) => ({ pointer, message }));
  throw new GatehouseError('validation_failed', problems.join(' '), { fields });
}

/** At least 64 must be allowed (NIST SP 800-63B-4 §3.1.1.2). The bound keeps the cost of a hash small. */
const longest = 256;

/**
 * Characters that a person can't type, so the person could not enter the password again (RFC 8265 §4.2.2 allows none of
 * them): control characters and the replacement character. Half of a surrogate pair is included, because UTF-8 encodes
 * it as the replacement character.
 */
const untypable = /[\p{Cc}\p{Cs}\ufffd]/u;

/**
 * Creates the rules of NIST SP 800-63B-4 §3.1.1.2: a minimum length, and a check of the whole password against lists of
 * known ones. There are no rules about kinds of characters, because they make passwords no harder to guess.
 *
 * The lists are asked only about a password that has no other problem, so a service outside learns about fewer of them.
 */
export function createPasswordRules({
  shortest: alone,
  secondFactor,
  blocklists,
}: PasswordRuleOptions): PasswordRules {
  const lengthFor: PasswordRules['lengthFor'] = (owner = { roles: [] }) => {
    const isOneOfTwo = secondFactor && (owner.hasSecondFactor || needsFactor(secondFactor.policy, owner));
    return { shortest: isOneOfTwo ? Math.min(alone, secondFactor.shortest) : alone, longest };
  };
  const isBlocked = async (password: string): Promise<boolean> => {
    if (await isCommonPassword(password)) return true;
    for (const list of blocklists) if (await list.has(password)) return true;
    return false;
  };
  return {
    lengthFor,
    problems: async (password, email, owner) => {
      const { shortest } = lengthFor(owner);
      const composed = password.normalize('NFC');
      const length = [...composed].length;
      const problems = [];
      if (length < shortest)
        problems.push(`A password has at least ${shortest} characters. Use a longer one.`);
      if (length > longest) problems.push(`A password has at most ${longest} characters. Use a shorter one.`);
      if (untypable.test(password))
        problems.push("The password holds a character that can't be typed again. Use another one.");
      if (emailKey(password) === emailKey(email))
        problems.push("The password can't be the email address. Use another one.");
      if (problems.length === 0 && (await isBlocked(composed)))
        problems.push('This password is among the first to be guessed. Use another one.');
      return problems;
    },
  };
}
