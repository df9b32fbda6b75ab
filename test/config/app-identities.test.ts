import { describe, expect, test } from '@jest/globals';
import { originsOfApps } from '../../provider/config/app-identities.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';

const fingerprint = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0')).join(':');
const keyHash = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    loadConfig({ env });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
};

describe('the settings of apps with passkeys', () => {
  test.each([
    ['GATEHOUSE_PASSKEY_ORIGINS', 'https://shop.example.com, http://localhost:8080'],
    ['GATEHOUSE_PASSKEY_ORIGINS', `https://shop.example.com:8443 android:apk-key-hash:${keyHash}`],
    ['GATEHOUSE_PASSKEY_ANDROID_APPS', `com.example.app=${fingerprint.toUpperCase()}`],
    ['GATEHOUSE_PASSKEY_APPLE_APPS', 'A1B2C3D4E5.com.example.app, A1B2C3D4E5.com.example.other-app'],
  ])('%s takes %s', (name, text) => {
    expect(problemsOf({ [name]: text })).toEqual([]);
  });

  test.each([
    ['GATEHOUSE_PASSKEY_ORIGINS', 'https://shop.example.com/', 'without a path'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'https://shop.example.com/login', 'without a path'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'https://Shop.example.com', 'without a path'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'http://shop.example.com', 'http on loopback only'],
    ['GATEHOUSE_PASSKEY_ORIGINS', '*', 'origins separated by commas'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'null', 'origins separated by commas'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'android:apk-key-hash:short', 'and 43 characters'],
    ['GATEHOUSE_PASSKEY_ORIGINS', 'https://a.example,'.repeat(51), 'origins separated by commas'],
    ['GATEHOUSE_PASSKEY_ANDROID_APPS', 'com.example.app', 'PACKAGE=FINGERPRINT'],
    ['GATEHOUSE_PASSKEY_ANDROID_APPS', `com.example.app=${keyHash}`, 'PACKAGE=FINGERPRINT'],
    ['GATEHOUSE_PASSKEY_ANDROID_APPS', `app=${fingerprint}`, 'PACKAGE=FINGERPRINT'],
    ['GATEHOUSE_PASSKEY_APPLE_APPS', 'com.example.app', 'TEAMID.BUNDLE-ID'],
    ['GATEHOUSE_PASSKEY_APPLE_APPS', 'A1B2C3D4E5.com.example.*', 'TEAMID.BUNDLE-ID'],
  ])('%s refuses %s', (name, text, reason) => {
    const problems = problemsOf({ [name]: text });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} `))]);
    expect(problems[0]).toContain(reason);
  });

  test('all their errors are listed at once', () => {
    const env = {
      GATEHOUSE_PASSKEY_ORIGINS: 'shop.example.com',
      GATEHOUSE_PASSKEY_ANDROID_APPS: 'shop',
      GATEHOUSE_PASSKEY_APPLE_APPS: 'shop',
    };
    expect(
      problemsOf(env)
        .map((problem) => problem.split(' ', 1)[0])
        .sort(),
    ).toEqual(Object.keys(env).sort());
  });

  test('an Android app with two certificates is one app with two origins', () => {
    const other = fingerprint.replace('00', 'ff');
    const config = loadConfig({
      env: {
        GATEHOUSE_PASSKEY_ANDROID_APPS: `com.example.app=${fingerprint}, com.example.app=${other}`,
        GATEHOUSE_PASSKEY_APPLE_APPS: 'A1B2C3D4E5.com.example.app',
        GATEHOUSE_PASSKEY_ORIGINS: 'https://shop.example.com',
      },
    });
    expect(config.passkeyAndroidApps).toEqual([
      { packageName: 'com.example.app', fingerprints: [fingerprint.toUpperCase(), other.toUpperCase()] },
    ]);
    expect(originsOfApps(config, 'example.com')).toEqual([
      'https://shop.example.com',
      `android:apk-key-hash:${keyHash}`,
      expect.stringMatching(/^android:apk-key-hash:_/),
      'https://example.com',
    ]);
  });
});
