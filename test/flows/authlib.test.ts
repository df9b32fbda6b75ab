import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { pythonWith } from '../support/python.ts';
import { demoApps } from '../support/test-client.ts';

describe('Authlib (Python) on the embedded default', () => {
  let deployment: Deployment;
  let python: string;
  beforeAll(async () => {
    [deployment, python] = await Promise.all([
      startEmbedded(),
      pythonWith(['Authlib==1.9.9', 'joserfc==1.8.0', 'requests==2.34.2']),
    ]);
  }, 240_000);
  afterAll(() => deployment?.stop());

  test('discovers, signs in, checks its tokens, refreshes, introspects, revokes, and gets a machine token', async () => {
    const { issuer, audience } = deployment;
    const { email, password } = demo;
    const settings = { issuer, audience, email, password, client: demoApps.web, service: demoApps.service };
    const seen = await runScript(python, settings);

    const sub = expect.stringMatching(/^user_/);
    const token = { token_type: 'Bearer', expires_in: 900, refresh_token: expect.any(String) };
    const person = {
      iss: issuer,
      aud: audience,
      sub,
      client_id: 'demo-web',
      permissions: ['contracts:read'],
    };
    const userinfo = { sub, email, email_verified: true };
    expect(seen).toMatchObject({
      returned: { code: expect.any(String), state: seen.state, iss: issuer },
      wrongVerifier: 'invalid_grant',
      token,
      idToken: { iss: issuer, aud: 'demo-web', sub, nonce: seen.nonce },
      accessToken: person,
      userinfo,
      refreshed: token,
      refreshedIdToken: { iss: issuer, aud: 'demo-web', sub },
      refreshedAccessToken: person,
      introspected: { active: true, ...person },
      revoked: [200, 200],
      refreshAfterRevocation: 'invalid_grant',
      service: {
        token: { token_type: 'Bearer', scope: 'contracts:read' },
        accessToken: { iss: issuer, aud: audience, sub: 'demo-service', client_id: 'demo-service' },
      },
    });
    expect(seen.userinfo).toEqual(userinfo);
    expect(seen.afterRevocation).toEqual({ active: false });
  }, 60_000);
});

async function runScript(python: string, settings: object): Promise<Record<string, unknown>> {
  const child = spawn(python, [`${packageRoot}/test/flows/authlib/sign_in.py`], {
    // Authlib accepts http only with this setting. NO_PROXY keeps a proxy of the machine out of the test.
    env: {
      PATH: process.env.PATH,
      AUTHLIB_INSECURE_TRANSPORT: '1',
      NO_PROXY: '*',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  child.stdin.end(JSON.stringify(settings));
  const [printed, problems, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`the script ended with ${code}:\n${problems}`);
  return JSON.parse(printed) as Record<string, unknown>;
}
