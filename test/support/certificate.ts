import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate and its private key, in PEM, and what is needed to sign others with it. */
export interface TestCertificate {
  cert: string;
  key: string;
  name: string;
  privateKey: KeyObject;
}

export interface CertificateOptions {
  /** The host that it is for. The default is `localhost`. */
  host?: string;
  /** Days from now until it expires. Negative for a certificate that has expired. The default is 90. */
  days?: number;
  /** The certificate that signs it. When omitted, it is self-signed and may sign others. */
  by?: TestCertificate;
}

const day = 86_400_000;

/** A value in DER (X.690): tag, length, content. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const text = (tag: number, value: string) => der(tag, Buffer.from(value, 'latin1'));
const commonName = (name: string) => sequence(der(0x31, sequence(oid('550403'), text(0x0c, name))));
const sha256WithRsa = sequence(oid('2a864886f70d01010b'), der(0x05));
/** GeneralizedTime: `20260101000000Z`. */
const time = (at: number) => text(0x18, new Date(at).toISOString().replace(/[-:T]|\.\d+/g, ''));
const extension = (id: string, value: Buffer) => sequence(oid(id), der(0x04, value));
const pem = (label: string, bytes: Buffer) =>
  [
    `-----BEGIN ${label}-----`,
    ...(bytes.toString('base64').match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join('\n');

/** Makes a certificate for a server of a test (RFC 5280 §4.1). No tool on the machine is needed. */
export function testCertificate({
  host = 'localhost',
  days = 90,
  by,
}: CertificateOptions = {}): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const name = `${host} ${randomBytes(6).toString('hex')}`;
  const until = Date.now() + days * day;
  const extensions = [
    extension('551d11', sequence(text(0x82, host))),
    ...(by ? [] : [extension('551d13', sequence(der(0x01, Buffer.from([0xff]))))]),
  ];
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    commonName(by?.name ?? name),
    sequence(time(until - 365 * day), time(until)),
    commonName(name),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('RSA-SHA256', content, by?.privateKey ?? privateKey);
  return {
    cert: pem('CERTIFICATE', sequence(content, sha256WithRsa, der(0x03, Buffer.from([0]), signature))),
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    name,
    privateKey,
  };
}
