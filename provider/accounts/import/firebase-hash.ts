import { z } from 'zod';
import { ConfigurationError } from '../../lib/errors.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** The project's 'password hash parameters', as the Firebase console shows them. */
export interface FirebaseParameters {
  /** Base64. A secret. */
  signerKey: string;
  /** Base64. */
  saltSeparator: string;
  rounds: number;
  memCost: number;
}

/** The fields of one account, as `firebase auth:export` writes them. */
export const firebaseFields = z.object(
  {
    passwordHash: z.string({ error: 'Give the hash, in Base64.' }),
    salt: z.string({ error: 'Give the salt, in Base64.' }),
  },
  { error: "Give an object with the account's passwordHash and salt." },
);

/** Gives the text to store, or the reason why the fields can't be converted. */
export type FirebaseHash = (
  fields: z.infer<typeof firebaseFields>,
) => { stored: string } | { problem: string };

/**
 * Creates a function that converts hashes of a Firebase project.
 *
 * Firebase derives a key from the password and encrypts the signer key with it, in counter mode. The result is
 * Firebase's hash. Counter mode is an XOR with a key stream, so an XOR of the hash and the signer key gives the key
 * stream. The key stream is stored instead of the hash. So verification needs no other secret, and the signer key,
 * which protects every hash of the project, is not in the database. As in Firebase, the salt separator, which all
 * accounts share, is appended to the salt.
 *
 * @throws ConfigurationError for parameters that are not valid
 */
export function createFirebaseHash(parameters: FirebaseParameters): FirebaseHash {
  const { rounds, memCost } = parameters;
  const signerKey = decodeBase64(parameters.signerKey);
  const separator = decodeBase64(parameters.saltSeparator);
  const problems = [];
  if (signerKey === undefined || signerKey.length < 16)
    problems.push("Firebase's signer key (base64_signer_key) isn't Base64 of 16 bytes or more.");
  if (separator === undefined)
    problems.push("Firebase's salt separator (base64_salt_separator) isn't Base64.");
  if (!isWithin(rounds, 1, 8)) problems.push("Firebase's rounds are a whole number from 1 to 8.");
  if (!isWithin(memCost, 1, 14)) problems.push("Firebase's mem_cost is a whole number from 1 to 14.");
  if (signerKey === undefined || separator === undefined || problems.length > 0)
    throw new ConfigurationError(problems);

  return ({ passwordHash, salt }) => {
    const hash = decodeBase64(passwordHash);
    const ownSalt = decodeBase64(salt);
    if (hash === undefined || ownSalt === undefined) return { problem: "The salt or hash isn't Base64." };
    if (hash.length !== signerKey.length)
      return {
        problem: `The hash has ${hash.length} bytes, the signer key ${signerKey.length}: give this project's.`,
      };
    const keyStream = hash.map((byte, index) => byte ^ (signerKey[index] ?? 0));
    const joined = encodeBase64(Buffer.concat([ownSalt, separator]));
    return { stored: `$firebase-scrypt$ln=${memCost},r=${rounds},p=1$${joined}$${encodeBase64(keyStream)}` };
  };
}

const isWithin = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most;
