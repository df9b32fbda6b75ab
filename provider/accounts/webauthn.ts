import type { AuthenticatorTransport } from '@simplewebauthn/server';
import { GatehouseError } from '../lib/errors.ts';
import type { NewPasskeyAnswer, PasskeyAnswer } from '../lib/passkey-answers.ts';
import type { Passkey, StoredPasskey } from '../ports/passkeys.ts';

/*
 * The two ceremonies of WebAuthn Level 3, without storage: §7.1 registers a credential, §7.2 checks an assertion. The
 * library that checks the answers is loaded at the first answer, because it is large.
 */

/** The server that asks for a passkey (WebAuthn §4, relying party). */
export interface RelyingParty {
  /** The RP ID: a domain name. A passkey is good for this domain and no other. */
  id: string;
  /** The name that the authenticator may show. */
  name: string;
}

/** What an answer must contain. */
export interface ExpectedAnswer {
  rpId: string;
  /** Where the ceremony may have run: origins of pages, and `android:apk-key-hash:…` of apps. */
  origins: readonly string[];
  /** base64url. */
  challenge: string;
}

/** Options for `navigator.credentials.create`, as JSON (WebAuthn §5.4, §5.1.8). */
export type CreationOptions = ReturnType<typeof creationOptions>;

/** Options for `navigator.credentials.get`, as JSON (WebAuthn §5.5, §5.1.9). */
export type RequestOptions = ReturnType<typeof requestOptions>;

/** How long a person may take, in milliseconds. */
export const ceremonyMs = 300_000;

/** EdDSA, ES256 and RS256 (RFC 9053 §2, RFC 8812 §2), the preferred one first. */
const algorithms = [-8, -7, -257];

const describe = ({ id, transports }: Pick<Passkey, 'id' | 'transports'>) => ({
  type: 'public-key' as const,
  id,
  transports,
});

/**
 * A passkey is discoverable and verifies its user, so that it can replace the password. No attestation is asked for: we
 * do not restrict the makers of authenticators.
 * @param user `handle` is base64url
 * @param known the passkeys of the account, which the same authenticator must not make again
 */
export const creationOptions = (
  { id, name }: RelyingParty,
  user: { handle: string; email: string },
  challenge: string,
  known: readonly Passkey[],
) => ({
  rp: { id, name },
  user: { id: user.handle, name: user.email, displayName: user.email },
  challenge,
  pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key' as const, alg })),
  timeout: ceremonyMs,
  excludeCredentials: known.map(describe),
  authenticatorSelection: {
    residentKey: 'required' as const,
    requireResidentKey: true,
    userVerification: 'required' as const,
  },
  attestation: 'none' as const,
});

/** @param allowed the passkeys of one account; without them, the person chooses among all of the domain */
export const requestOptions = (rpId: string, challenge: string, allowed?: readonly Passkey[]) => ({
  rpId,
  challenge,
  timeout: ceremonyMs,
  userVerification: allowed === undefined ? ('required' as const) : ('preferred' as const),
  allowCredentials: (allowed ?? []).map(describe),
});

/**
 * Checks the answer to `creationOptions` (WebAuthn §7.1).
 * @throws GatehouseError `invalid_passkey`
 */
export async function checkNewAnswer(
  answer: NewPasskeyAnswer,
  { rpId, origins, challenge }: ExpectedAnswer,
): Promise<Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'isShareable' | 'isBackedUp'>> {
  const { response } = answer;
  return checked(async () => {
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
    await refuseCertificates(response.attestationObject);
    const transports = (response.transports ?? []) as AuthenticatorTransport[];
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...answer, response: { ...response, transports }, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    });
    // The id in the answer is not signed. The one in the authenticator data is what counts.
    if (!verified || registrationInfo.credential.id !== answer.id)
      throw new Error('the attestation is wrong');
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
    return {
      id: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      transports,
      isShareable: credentialDeviceType === 'multiDevice',
      isBackedUp: credentialBackedUp,
    };
  });
}

/**
 * With the conveyance `none`, a browser sends no attestation, or one that the credential itself signed (WebAuthn
 * §5.4.7). The library would check the certificates of any other, and get lists of revoked ones from addresses in them.
 */
async function refuseCertificates(attestationObject: string): Promise<void> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
  const format = decoded.get('fmt');
  const isSelfSigned = format === 'packed' && decoded.get('attStmt').get('x5c') === undefined;
  if (format !== 'none' && !isSelfSigned) throw new Error(`an attestation with the format ${format}`);
}

/**
 * Checks the answer to `requestOptions` (WebAuthn §7.2), without the counter.
 * @param needsUserVerification whether the authenticator must have checked a fingerprint, a face or a PIN
 * @throws GatehouseError `invalid_passkey`
 */
export async function checkAnswer(
  answer: PasskeyAnswer,
  passkey: StoredPasskey,
  { rpId, origins, challenge, needsUserVerification }: ExpectedAnswer & { needsUserVerification: boolean },
): Promise<Pick<Passkey, 'counter' | 'isBackedUp'>> {
  const { userHandle, ...response } = answer.response;
  return checked(async () => {
    if (userHandle ? userHandle !== passkey.userHandle : needsUserVerification)
      throw new Error('the user handle is not the one of the account');
    const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...answer, response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: needsUserVerification,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        // The store compares the counters, in one conditional write.
        counter: 0,
      },
    });
    if (!verified) throw new Error('the signature is wrong');
    const { newCounter: counter, credentialBackedUp: isBackedUp, credentialDeviceType } = authenticationInfo;
    if ((credentialDeviceType === 'multiDevice') !== passkey.isShareable)
      throw new Error('the flag BE has changed');
    return { counter, isBackedUp };
  });
}

/** The errors of the library repeat parts of the answer, so they are for the log only. */
async function checked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw invalidPasskey(cause);
  }
}

/** The same for an unknown passkey, for a wrong answer and for a counter that went back. */
export const invalidPasskey = (cause?: unknown) =>
  new GatehouseError('invalid_passkey', 'The passkey is not known here, or its answer is not right.', {
    cause,
  });
