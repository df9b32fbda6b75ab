import { z } from 'zod';
import { type IamTokenService, iamTokenForms, readIamTokenReference } from '../lib/iam-token-reference.ts';
import { readSecretReference, type SecretScheme, secretForms } from '../lib/secret-reference.ts';

/**
 * A schema that converts the text of a variable to a value. No message contains the text.
 *
 * @param allowed completes the sentence "must be …" in errors, and is shown in the reference
 * @param parse gives undefined for a text that is not allowed
 */
export function value<T>(allowed: string, parse: (text: string) => T | undefined) {
  return z
    .string()
    .transform((text, context): T => {
      const parsed = parse(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: `must be ${allowed}` });
      return z.NEVER;
    })
    .describe(allowed);
}

/** A whole number from `least` to `most`, both allowed. */
export function integer(least: number, most: number) {
  return value(`a whole number from ${least} to ${most}`, (text) => {
    const parsed = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return parsed >= least && parsed <= most ? parsed : undefined;
  });
}

/** Exactly `true` or `false`. */
export function boolean() {
  return value('true or false', (text) => (text === 'true' ? true : text === 'false' ? false : undefined));
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: Word[]) {
  return value(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text));
}

/** Text that matches a pattern. `allowed` describes the pattern in words. */
export function matching(allowed: string, pattern: RegExp) {
  return value(allowed, (text) => (pattern.test(text) ? text : undefined));
}

/** A path in the file system, absolute or relative to the working directory at the start. */
export function path() {
  return matching('a path', /^[^\0]+$/);
}

/** The store of the signing keys. Errors may show the text of a reference, so any other text is refused. */
export function keyStoreReference() {
  const shapes = [/^file:[^\0\r\n]+$/, /^secretsmanager:[A-Za-z0-9/_+=.@:-]{1,2048}$/, /^postgres:$/];
  return value('file:/path/of/the/file, secretsmanager:NAME-OR-ARN or postgres:', (text) =>
    shapes.some((shape) => shape.test(text)) ? text : undefined,
  );
}

/**
 * A reference to a secret, not the secret itself. Errors may show the text of a reference, so any other text is
 * refused.
 */
export function reference(...schemes: SecretScheme[]) {
  const allowed = schemes.map((scheme) => secretForms[scheme]).join(' or ');
  return value(`a reference to a secret, not the secret itself: ${allowed}`, (text) => {
    const scheme = readSecretReference(text)?.scheme;
    return scheme !== undefined && schemes.includes(scheme) ? text : undefined;
  });
}

/** A reference to a secret that is a password, or to IAM tokens of the given service, which replace a password. */
export function passwordReference(service: IamTokenService) {
  const { file, env, secretsmanager } = secretForms;
  const allowed = [file, env, secretsmanager, iamTokenForms[service]].join(' or ');
  return value(`a reference to a secret, not the secret itself: ${allowed}`, (text) => {
    const isReference =
      readSecretReference(text) !== undefined || readIamTokenReference(text)?.service === service;
    return isReference ? text : undefined;
  });
}
