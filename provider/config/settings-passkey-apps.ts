import { androidApps, appleApps, appOrigins } from './app-identities.ts';
import type { SettingTable } from './setting.ts';

const none = { text: 'none', from: () => '' };

/** Settings about passkeys in apps that have a sign-in form of their own. */
export const passkeyAppSettings = {
  passkeyOrigins: {
    name: 'GATEHOUSE_PASSKEY_ORIGINS',
    description:
      'The origins of first-party apps that use passkeys in their own form, besides the issuer’s. Those that are not below the RP id are published in `/.well-known/webauthn`: browsers accept at most five domains there. See [`passkeys.md`](passkeys.md#apps-with-their-own-form).',
    schema: appOrigins(),
    default: none,
    example: 'https://shop.example.com, https://shop.example.org',
  },
  passkeyAndroidApps: {
    name: 'GATEHOUSE_PASSKEY_ANDROID_APPS',
    description:
      'Android apps that may use the passkeys. They are published in `/.well-known/assetlinks.json`, and their origins are accepted. Name the certificate that Google Play signs with, and that of a test build if it needs one.',
    schema: androidApps(),
    default: none,
    example:
      'com.example.app=14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5',
  },
  passkeyAppleApps: {
    name: 'GATEHOUSE_PASSKEY_APPLE_APPS',
    description:
      'Apps for iOS and macOS that may use the passkeys, as TEAMID.BUNDLE-ID. They are published in `/.well-known/apple-app-site-association`, and their origin (https and the RP id) is accepted.',
    schema: appleApps(),
    default: none,
    example: 'A1B2C3D4E5.com.example.app',
  },
} satisfies SettingTable;
