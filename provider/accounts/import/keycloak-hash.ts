import { z } from 'zod';
import { decodeBase64, encodeBase64 } from './base64.ts';

/**
 * Keycloak writes JSON as a text inside JSON. A converted export may contain it as an object. Both forms are accepted.
 */
const embedded = <Schema extends z.ZodType>(schema: Schema, error: string) =>
  z
    .union([z.string(), z.record(z.string(), z.unknown())], { error })
    .transform((value, context) => {
      try {
        return typeof value === 'string' ? (JSON.parse(value) as unknown) : value;
      } catch {
        context.addIssue({ code: 'custom', message: error });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** Keycloak writes each parameter as a list with one text. */
const only = <Text extends z.ZodType<string>>(text: Text) => z.tuple([text]).transform(([value]) => value);

/** The credential of type `password` in a realm's export. */
export const keycloakFields = z.object({
  credentialData: embedded(
    z.object({
      algorithm: z.string(),
      hashIterations: z.int(),
      additionalParameters: z.record(z.string(), z.unknown()).optional(),
    }),
    "Give the credential's credentialData, as a realm's export has it.",
  ),
  secretData: embedded(
    z.object({ value: z.string(), salt: z.string() }),
    "Give the credential's secretData, as a realm's export has it.",
  ),
});

const argon2Parameters = z.object({
  type: only(z.enum(['i', 'd', 'id'])),
  version: only(z.enum(['1.0', '1.3'])),
  memory: only(z.string().regex(/^[1-9]\d{0,9}$/)),
  parallelism: only(z.string().regex(/^[1-9]\d{0,2}$/)),
});

/**
 * Gives the hash as a PHC string, or the reason why it can't be converted. The caller checks whether the result can be
 * verified.
 */
export function keycloakHash({
  credentialData,
  secretData,
}: z.infer<typeof keycloakFields>): { stored: string } | { problem: string } {
  const { algorithm, hashIterations } = credentialData;
  // The plug-in for bcrypt keeps the whole text in `value`, and an empty salt.
  if (algorithm === 'bcrypt') return { stored: secretData.value };
  const [salt, hash] = [decodeBase64(secretData.salt), decodeBase64(secretData.value)];
  if (salt === undefined || hash === undefined) return { problem: "The salt or value isn't Base64." };
  const tail = `$${encodeBase64(salt)}$${encodeBase64(hash)}`;
  const digest = pbkdf2Digests[algorithm];
  if (digest !== undefined) return { stored: `$pbkdf2-${digest}$i=${hashIterations}${tail}` };
  if (algorithm !== 'argon2')
    return {
      problem: `Keycloak's algorithms pbkdf2, pbkdf2-sha256, pbkdf2-sha512, argon2 and bcrypt are known, not this one.`,
    };
  const parameters = argon2Parameters.safeParse(credentialData.additionalParameters);
  if (!parameters.success) return { problem: "The additionalParameters aren't those of Keycloak's argon2." };
  const { type, version, memory, parallelism } = parameters.data;
  const number = version === '1.3' ? 19 : 16;
  return { stored: `$argon2${type}$v=${number}$m=${memory},t=${hashIterations},p=${parallelism}${tail}` };
}

const pbkdf2Digests: Record<string, string | undefined> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
};
