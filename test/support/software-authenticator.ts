import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** The parts of the options that the authenticator reads, as JSON (WebAuthn Level 3 §5.1.8, §5.1.9). */
export interface CreationOptions {
  challenge: string;
  rp: { id?: string };
  user: { id: string };
  pubKeyCredParams: readonly { alg: number }[];
}
export interface RequestOptions {
  challenge: string;
  rpId?: string;
  allowCredentials?: readonly { id: string }[];
}

/** What differs from an honest answer. */
export interface Deviations {
  origin?: string;
  challenge?: string;
  type?: string;
  rpId?: string;
  /** Whether the person was verified, by a finger or a PIN. */
  isVerified?: boolean;
  /** The counter to send. */
  counter?: number;
  userHandle?: string;
  /** Signs with another key than the one of the passkey. */
  key?: KeyObject;
}

export interface SoftwarePasskey {
  id: string;
  rpId: string;
  userHandle: string;
  key: KeyObject;
  alg: -7 | -257;
  counter: number;
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();

const flags = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 };

/**
 * An authenticator in memory, which answers as a phone or a security key does, with the client data that a browser would
 * add. So tests can also send what no browser sends.
 */
export function createAuthenticator(
  origin: string,
  { alg = -7, counts = true }: { alg?: -7 | -257; counts?: boolean } = {},
) {
  const clientData = (type: string, challenge: string, more: Deviations) =>
    Buffer.from(
      JSON.stringify({
        type: more.type ?? type,
        challenge: more.challenge ?? challenge,
        origin: more.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const dataOf = (passkey: SoftwarePasskey, more: Deviations, attested?: Buffer) => {
    const { isVerified = true, counter = passkey.counter } = more;
    const set =
      flags.present |
      flags.backupEligible |
      flags.backedUp |
      (isVerified ? flags.verified : 0) |
      (attested ? flags.attested : 0);
    const head = Buffer.alloc(5);
    head.writeUInt8(set, 0);
    head.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(more.rpId ?? passkey.rpId), head, ...(attested ? [attested] : [])]);
  };

  return {
    /** Makes a passkey (WebAuthn Level 3 §6.3.2). */
    create(options: CreationOptions, more: Deviations = {}) {
      if (!options.pubKeyCredParams.some((one) => one.alg === alg)) throw new Error(`no algorithm ${alg}`);
      const { publicKey, privateKey } = newKeyPair(alg);
      const id = randomBytes(32);
      const passkey: SoftwarePasskey = {
        id: id.toString('base64url'),
        rpId: options.rp.id ?? new URL(origin).hostname,
        userHandle: options.user.id,
        key: privateKey,
        alg,
        counter: counts ? 1 : 0,
      };
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey, alg)]);
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', dataOf(passkey, more, attested)],
      ]);
      const response = {
        clientDataJSON: clientData('webauthn.create', options.challenge, more).toString('base64url'),
        attestationObject: cbor(attestation).toString('base64url'),
        transports: ['internal'],
      };
      return { passkey, credential: credential(passkey.id, response) };
    },

    /** Answers with a passkey (WebAuthn Level 3 §6.3.3). */
    get(passkey: SoftwarePasskey, options: RequestOptions, more: Deviations = {}) {
      if (counts) passkey.counter += 1;
      const data = clientData('webauthn.get', options.challenge, more);
      const authenticatorData = dataOf(passkey, more);
      const signature = sign(
        'sha256',
        Buffer.concat([authenticatorData, sha256(data)]),
        more.key ?? passkey.key,
      );
      return credential(passkey.id, {
        clientDataJSON: data.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: more.userHandle ?? passkey.userHandle,
      });
    },
  };
}

const credential = <Response>(id: string, response: Response) => ({
  id,
  rawId: id,
  type: 'public-key' as const,
  authenticatorAttachment: 'platform' as const,
  clientExtensionResults: {},
  response,
});

export const newKeyPair = (alg: -7 | -257) =>
  alg === -7
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A public key as COSE (RFC 9053 §7.1.1, RFC 8230 §4). */
function coseKey(key: KeyObject, alg: -7 | -257): Buffer {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  const parts: [number, unknown][] =
    alg === -7
      ? [
          [1, 2],
          [3, alg],
          [-1, 1],
          [-2, bytes(x)],
          [-3, bytes(y)],
        ]
      : [
          [1, 3],
          [3, alg],
          [-1, bytes(n)],
          [-2, bytes(e)],
        ];
  return cbor(new Map(parts));
}

/** Encodes whole numbers, bytes, texts and maps (RFC 8949 §3). */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flat().map((one) => cbor(one))]);
  throw new Error(`can't encode ${typeof value}`);
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  const long = Buffer.from([(major << 5) | 25, 0, 0]);
  long.writeUInt16BE(length, 1);
  return long;
}
