import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { randomBytesOf } from './ids.ts';

/**
 * The keys that only the servers know. New values are made with the first secret. The other secrets are still
 * accepted. To replace a secret, put a new one first and remove the old one later.
 */
export interface ServerKeys {
  /**
   * The names under which a bearer value may be stored: the keyed hash under the first secret, then under the
   * older ones. A store holds only these, so a copy of the store contains no usable bearer value.
   */
  lookupHashes(label: string, value: string): [string, ...string[]];
  /** Encrypts and authenticates; `context` must be given again to open. AES-256-GCM. */
  seal(context: string, plaintext: string): string;
  /** Gives the plaintext, or undefined where the value was altered, moved to another context, or sealed by a dropped secret. */
  open(context: string, sealed: string): string | undefined;
  /** A tag that proves we made `value` for `label`; 128 bits, base64url. */
  tag(label: string, value: string): string;
  /** Whether `tag` was made by us for this value, compared in constant time. */
  checkTag(label: string, value: string, tag: string): boolean;
  /** Keys for signed cookies, the signing one first. */
  cookieKeys(): string[];
}

/** Server keys whose secrets change while they are in use. */
export interface ReplaceableServerKeys extends ServerKeys {
  /** Uses these secrets from now on, the first as the current one. */
  replace(secrets: readonly [string, ...string[]]): void;
}

interface DerivedKeys {
  lookup: KeyObject;
  seal: KeyObject;
  tag: KeyObject;
  cookie: string;
}

function derive(secret: string): DerivedKeys {
  return {
    lookup: deriveKey(secret, 'lookup'),
    seal: deriveKey(secret, 'seal'),
    tag: deriveKey(secret, 'tag'),
    cookie: deriveKey(secret, 'cookie').export().toString('base64url'),
  };
}

const mac = (key: KeyObject, label: string, value: string) =>
  createHmac('sha256', key).update(`${label}\0${value}`);

/**
 * @param secrets at least one, each of 256 bits or more; the first is current. Keys for each purpose are
 *   derived by HKDF (RFC 5869), so no two purposes share a key.
 */
export function createServerKeys(secrets: readonly [string, ...string[]]): ReplaceableServerKeys {
  const deriveAll = ([first, ...more]: typeof secrets) => {
    const [current, older] = [derive(first), more.map(derive)];
    return { current, older, all: [current, ...older] };
  };
  let { current, older, all } = deriveAll(secrets);
  return {
    replace: (next) => {
      ({ current, older, all } = deriveAll(next));
    },
    lookupHashes: (label, value) => {
      const hash = (keys: DerivedKeys) => mac(keys.lookup, label, value).digest('base64url');
      return [hash(current), ...older.map(hash)];
    },
    seal: (context, plaintext) => seal(current.seal, context, plaintext),
    open: (context, sealed) => {
      for (const keys of all) {
        const plaintext = open(keys.seal, context, sealed);
        if (plaintext !== undefined) return plaintext;
      }
      return undefined;
    },
    tag: (label, value) => mac(current.tag, label, value).digest().subarray(0, 16).toString('base64url'),
    checkTag: (label, value, tag) => {
      const given = Buffer.from(tag, 'base64url');
      if (given.length !== 16) return false;
      return all.some((keys) => timingSafeEqual(mac(keys.tag, label, value).digest().subarray(0, 16), given));
    },
    cookieKeys: () => all.map((keys) => keys.cookie),
  };
}

/**
 * A key for one purpose, derived from a secret of 256 random bits or more by HKDF with SHA-256 (RFC 5869). It is a key object,
 * since Node takes six times as long for a MAC with the bytes of a key.
 *
 * @returns 256 bits
 */
export function deriveKey(secret: string, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `gatehouse ${purpose}`, 32)));
}

/**
 * Encrypts and authenticates with AES-256-GCM (NIST SP 800-38D); `context` must be given again to open.
 *
 * @param key 256 bits
 * @returns nonce, tag and ciphertext, base64url
 */
export function seal(key: KeyObject, context: string, plaintext: string): string {
  const nonce = randomBytesOf(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(context));
  const body = cipher.update(plaintext, 'utf8');
  // In this mode it gives no more bytes: it makes the tag.
  cipher.final();
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/** @returns the plaintext, or undefined where the value was altered, moved to another context, or sealed with another key */
export function open(key: KeyObject, context: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(12, 28));
    const plaintext = decipher.update(bytes.subarray(28));
    // It throws if the tag is wrong. In this mode it gives no more bytes.
    decipher.final();
    return plaintext.toString('utf8');
  } catch {
    return undefined;
  }
}
