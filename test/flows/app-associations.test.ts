import { afterEach, describe, expect, test } from '@jest/globals';
import { type InProcess, startInProcess } from '../support/in-process.ts';

const fingerprint = Array.from({ length: 32 }, (_, index) =>
  index.toString(16).padStart(2, '0').toUpperCase(),
).join(':');

const paths = [
  '/.well-known/webauthn',
  '/.well-known/assetlinks.json',
  '/.well-known/apple-app-site-association',
];

let deployment: InProcess | undefined;
afterEach(() => deployment?.stop());

/** The answers of the three addresses at the host of the issuer. */
async function answers(settings: Record<string, string>): Promise<Response[]> {
  deployment = await startInProcess([], settings);
  const { fetch, issuer } = deployment;
  return Promise.all(paths.map((path) => fetch(`${new URL(issuer).origin}${path}`)));
}

describe('the files that tell which apps may use the passkeys', () => {
  test('each is there only when it is configured', async () => {
    const found = await answers({ GATEHOUSE_PASSKEY_APPLE_APPS: 'A1B2C3D4E5.com.example.app' });
    expect(found.map(({ status }) => status)).toEqual([404, 404, 200]);
  });

  test('name the apps of the settings as JSON, and leave out pages below the RP id', async () => {
    const found = await answers({
      GATEHOUSE_PASSKEY_ORIGINS:
        'https://shop.example.com, https://app.localhost, http://localhost:8080, https://shop.example',
      GATEHOUSE_PASSKEY_ANDROID_APPS: `com.example.app=${fingerprint}`,
      GATEHOUSE_PASSKEY_APPLE_APPS: 'A1B2C3D4E5.com.example.app',
    });
    for (const { status, headers } of found) {
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(headers.get('cache-control')).toContain('max-age=3600');
    }
    expect(await Promise.all(found.map((answer) => answer.json()))).toEqual([
      { origins: ['https://shop.example.com', 'https://shop.example'] },
      [
        {
          relation: [
            'delegate_permission/common.get_login_creds',
            'delegate_permission/common.handle_all_urls',
          ],
          target: {
            namespace: 'android_app',
            package_name: 'com.example.app',
            sha256_cert_fingerprints: [fingerprint],
          },
        },
      ],
      { webcredentials: { apps: ['A1B2C3D4E5.com.example.app'] } },
    ]);
  });
});
