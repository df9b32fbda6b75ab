import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { NewPasskeyAnswer, PasskeyAnswer } from '../../provider/lib/passkey-answers.ts';

type Cbor = number | string | Buffer | Map<number | string, Cbor>;

/** Encodes the few kinds of values that an authenticator sends (RFC 8949 §3). */
function cbor(value: Cbor): Buffer {
  const head = (major: number, length: number) => {
    if (length < 24) return Buffer.from([(major << 5) | length]);
    if (length < 256) return Buffer.from([(major << 5) | 24, length]);
    return Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
  };
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const entries = [...value].flatMap(([key, one]) => [cbor(key), cbor(one)]);
  return Buffer.concat([head(5, value.size), ...entries]);
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();

/** What an authenticator and its browser do. Each value can be a lie. */
export interface AuthenticatorBehaviour {
  origin: string;
  rpId: string;
  /** Default: true. */
  userVerified?: boolean;
  /** Default: true, with a counter that stays 0. */
  isShareable?: boolean;
  /** The counter of the next answer. */
  counter?: number;
  /** The type in the client data. Default: that of the ceremony. */
  type?: string;
  /** Default: none. */
  attestation?: { fmt: string; statement: Map<string, Cbor> };
}

/** A passkey in software, with a key of its own. */
export interface SoftwarePasskey {
  id: string;
  /** The answer to options for a new passkey. */
  create(options: { challenge: string }, behaviour: AuthenticatorBehaviour): NewPasskeyAnswer;
  /** The answer to options for a sign-in. */
  get(
    options: { challenge: string },
    behaviour: AuthenticatorBehaviour & { userHandle?: string | undefined },
  ): PasskeyAnswer;
}

/** A public key as a COSE_Key (RFC 9053 §7.1.1, RFC 8230 §4). */
function coseKeyOf(key: KeyObject): Buffer {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  const es256: [number, Cbor][] = [
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, bytes(x)],
    [-3, bytes(y)],
  ];
  const rs256: [number, Cbor][] = [
    [1, 3],
    [3, -257],
    [-1, bytes(n)],
    [-2, bytes(e)],
  ];
  return cbor(new Map(n === '' ? es256 : rs256));
}

/** Makes a passkey whose answers are complete and signed (WebAuthn §6.1). */
export function createSoftwarePasskey(algorithm: 'ES256' | 'RS256' = 'ES256'): SoftwarePasskey {
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const id = randomBytes(32);
  const coseKey = coseKeyOf(publicKey);
  const authenticatorData = (
    { rpId, userVerified = true, isShareable = true, counter = 0 }: AuthenticatorBehaviour,
    attested?: Buffer,
  ) => {
    const backup = isShareable ? 0b11000 : 0;
    const flags = 1 | (userVerified ? 4 : 0) | backup | (attested ? 64 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested ?? Buffer.alloc(0)]);
  };
  const clientData = (type: string, challenge: string, origin: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const shared = {
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key' as const,
  };

  return {
    id: shared.id,
    create: ({ challenge }, behaviour) => {
      const length = Buffer.from([0, id.length]);
      const attested = Buffer.concat([Buffer.alloc(16), length, id, coseKey]);
      const { fmt, statement } = behaviour.attestation ?? { fmt: 'none', statement: new Map() };
      const attestationObject = cbor(
        new Map<string, Cbor>([
          ['fmt', fmt],
          ['attStmt', statement],
          ['authData', authenticatorData(behaviour, attested)],
        ]),
      );
      return {
        ...shared,
        response: {
          clientDataJSON: clientData(
            behaviour.type ?? 'webauthn.create',
            challenge,
            behaviour.origin,
          ).toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    get: ({ challenge }, behaviour) => {
      const data = authenticatorData(behaviour);
      const client = clientData(behaviour.type ?? 'webauthn.get', challenge, behaviour.origin);
      const signature = createSign('sha256')
        .update(Buffer.concat([data, sha256(client)]))
        .sign(privateKey);
      return {
        ...shared,
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: behaviour.userHandle,
        },
      };
    },
  };
}
