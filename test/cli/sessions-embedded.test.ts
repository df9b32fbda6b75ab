import { expect, test } from '@jest/globals';
import { demo, startEmbedded } from '../support/deployment.ts';
import { apiLogin, getProfile, postJson } from '../support/json-api.ts';
import { documentOf, runCommand, type SessionDocument } from './session-commands.ts';

test('sessions commands on the embedded database are refused while dev runs; later they end sessions permanently', async () => {
  const deployment = await startEmbedded({ env: { GATEHOUSE_KEYS: '', GATEHOUSE_SERVER_SECRETS: '' } });
  const { programs } = deployment;
  const sessions = (...args: string[]) =>
    runCommand(deployment, ['sessions', ...args], { GATEHOUSE_APIS_FILE: '' });
  try {
    const [first, second] = [await apiLogin(deployment), await apiLogin(deployment)];
    const refused = await sessions('list', demo.email);
    expect(refused).toEqual({
      code: 78,
      stdout: '',
      stderr: expect.stringMatching(
        /^gatehouse: Another gatehouse \(process \d+\) runs on the data folder \S+\. Stop it/,
      ),
    });
    programs[0]?.kill('SIGTERM');
    await programs[0]?.ended;

    const { sessions: listed } = documentOf<{ sessions: SessionDocument[] }>(
      await sessions('list', demo.email, '--json'),
    );
    const familyOf = ({ refreshToken }: { refreshToken: string }) => refreshToken.split('.')[0] ?? '';
    expect(listed.map(({ id }) => id).sort()).toEqual([first, second].map(familyOf).sort());
    const ended = await sessions('end', demo.email, '--session', familyOf(first));
    expect(ended).toMatchObject({ code: 0, stderr: '' });

    await deployment.restart(0);
    const refresh = async ({ refreshToken }: { refreshToken: string }) =>
      (await postJson(deployment, '/auth/refresh', { refreshToken })).status;
    expect((await getProfile(deployment, first.accessToken)).status).toBe(401);
    expect([await refresh(first), await refresh(second)]).toEqual([401, 200]);
  } finally {
    await deployment.stop();
  }
}, 180_000);
