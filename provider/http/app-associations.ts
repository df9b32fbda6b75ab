import { originsOfApps, type PasskeyApps } from '../config/app-identities.ts';

/** The files by which browsers and phones learn which apps may use the passkeys of the RP id. */
export const associationPaths = [
  '/.well-known/webauthn',
  '/.well-known/assetlinks.json',
  '/.well-known/apple-app-site-association',
] as const;

export type Associations = Partial<Record<(typeof associationPaths)[number], object>>;

/**
 * The content of the three files. A file without an app is left out.
 *
 * - Related origins (WebAuthn Level 3 §5.11.1): those that are not below the RP id.
 * - Digital Asset Links. Android asks for both relations before an app may use a passkey. The second one also lets the app
 *   open links to the host, if its manifest says so.
 * - Apple's associated domains, for credentials only.
 */
export function appAssociations(apps: PasskeyApps, rpId: string): Associations {
  const related = originsOfApps(apps, rpId).filter((origin) => isRelated(origin, rpId));
  const { passkeyAndroidApps: android, passkeyAppleApps: apple } = apps;
  return {
    ...(related.length > 0 ? { '/.well-known/webauthn': { origins: related } } : {}),
    ...(android.length > 0 ? { '/.well-known/assetlinks.json': android.map(assetLink) } : {}),
    ...(apple.length > 0
      ? { '/.well-known/apple-app-site-association': { webcredentials: { apps: apple } } }
      : {}),
  };
}

const assetLink = ({ packageName, fingerprints }: PasskeyApps['passkeyAndroidApps'][number]) => ({
  relation: ['delegate_permission/common.get_login_creds', 'delegate_permission/common.handle_all_urls'],
  target: {
    namespace: 'android_app',
    package_name: packageName,
    sha256_cert_fingerprints: fingerprints,
  },
});

/** A page below the RP id may use its passkeys without being named (WebAuthn Level 3 §5.1.4.1). */
function isRelated(origin: string, rpId: string): boolean {
  if (!origin.startsWith('http')) return false;
  const { hostname } = new URL(origin);
  return hostname !== rpId && !hostname.endsWith(`.${rpId}`);
}
