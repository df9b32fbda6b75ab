import { parseUrl } from '../lib/parse-url.ts';
import { isLoopback } from './uris.ts';
import { value } from './values.ts';

/** More than a team has, and few enough for files that phones and browsers fetch. */
const most = 50;

const parts = (text: string) => text.split(/[\s,]+/).filter((part) => part !== '');

/** Converts each part of a list; undefined when one is not allowed, or when there are too many. */
function listOf<T>(text: string, parse: (part: string) => T | undefined): T[] | undefined {
  const converted = parts(text).map(parse);
  return converted.length <= most && converted.every((one) => one !== undefined) ? converted : undefined;
}

const apkKeyHash = /^android:apk-key-hash:[\w-]{43}$/;

/** The origin of a web app, as a browser writes it: https, or http on loopback. */
function webOrigin(text: string): string | undefined {
  const url = parseUrl(text);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  return isSafe && url.origin === text ? text : undefined;
}

/** Origins of web apps and of Android apps, separated by commas or spaces. */
export function appOrigins() {
  const allowed =
    'origins separated by commas: https://shop.example.com without a path (http on loopback only), or android:apk-key-hash: and 43 characters';
  return value(allowed, (text): string[] | undefined =>
    listOf(text, (part) => (apkKeyHash.test(part) ? part : webOrigin(part))),
  );
}

/** An Android app: its package and the certificates that sign it. */
export interface AndroidApp {
  packageName: string;
  /** SHA-256 of each certificate: 32 bytes in hexadecimal, in capitals, with colons. */
  fingerprints: string[];
}

const androidApp =
  /^(?<packageName>[A-Za-z]\w*(?:\.[A-Za-z]\w*)+)=(?<fingerprint>[\dA-F]{2}(?::[\dA-F]{2}){31})$/i;

/** Packages with the fingerprint of their certificate. A package may be there more than once. */
export function androidApps() {
  const allowed =
    'PACKAGE=FINGERPRINT, separated by commas: the SHA-256 fingerprint of the certificate, 32 bytes in hexadecimal with colons';
  return value(allowed, (text): AndroidApp[] | undefined => {
    const found = listOf(text, (part) => androidApp.exec(part)?.groups);
    if (found === undefined) return undefined;
    const apps = new Map<string, Set<string>>();
    for (const { packageName = '', fingerprint = '' } of found)
      apps.set(packageName, new Set([...(apps.get(packageName) ?? []), fingerprint.toUpperCase()]));
    return [...apps].map(([packageName, fingerprints]) => ({
      packageName,
      fingerprints: [...fingerprints],
    }));
  });
}

/** App ids of Apple: the ten characters of the team, a dot and the bundle id. */
export function appleApps() {
  return value('TEAMID.BUNDLE-ID, separated by commas, such as A1B2C3D4E5.com.example.app', (text) =>
    listOf(text, (part) => (/^[A-Z\d]{10}\.[A-Za-z\d.-]{1,155}$/.test(part) ? part : undefined)),
  );
}

/** The apps with forms of their own, as the settings name them. */
export interface PasskeyApps {
  passkeyOrigins: readonly string[];
  passkeyAndroidApps: readonly AndroidApp[];
  passkeyAppleApps: readonly string[];
}

/**
 * The origins that an answer of an authenticator may name (WebAuthn Level 3 §13.4.9), for these apps. An Android app has
 * one for each of its certificates. An app of Apple sends https and the RP id.
 */
export function originsOfApps(apps: PasskeyApps, rpId: string): string[] {
  const android = apps.passkeyAndroidApps.flatMap(({ fingerprints }) => fingerprints.map(apkOrigin));
  const apple = apps.passkeyAppleApps.length > 0 ? [`https://${rpId}`] : [];
  return [...new Set([...apps.passkeyOrigins, ...android, ...apple])];
}

const apkOrigin = (fingerprint: string) =>
  `android:apk-key-hash:${Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')}`;
