import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const digest = `sha256:${'a'.repeat(64)}`;
/** The newest revision failed, and the one before it runs. */
const newest = '[{"name":"gatehouse","revision":"5","status":"failed"}]';
const history =
  '[{"revision":3,"status":"superseded"},{"revision":4,"status":"deployed"},{"revision":5,"status":"failed"}]';

/** Runs .ci/deploy-chart.sh with programs that write down how they were called; a call that `fails` matches ends with 1. */
function deploy({ releases = newest, fails = '^$', version = '1.2.3' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  const calls = join(folder, 'calls');
  mkdirSync(join(folder, 'bin'));
  const answers = {
    aws: `echo ${digest}`,
    cosign: '',
    helm: `case $1 in list) echo '${releases}' ;; history) echo '${history}' ;; esac`,
    gatehouse: '',
  };
  for (const [name, answer] of Object.entries(answers)) {
    const text = `#!/bin/bash\necho "${name} $*" >>"$CALLS"\nif [[ "${name} $*" =~ $FAILS ]]; then exit 1; fi\n${answer}\n`;
    writeFileSync(join(folder, 'bin', name), text);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const { status, stderr } = spawnSync('bash', ['.ci/deploy-chart.sh', 'values.yaml'], {
    encoding: 'utf8',
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      CALLS: calls,
      FAILS: fails,
      REGISTRY: 'registry.example',
      NAME: 'gatehouse',
      VERSION: version,
      REPOSITORY_URL: 'https://github.com/example/identity',
      NAMESPACE: 'gatehouse',
      RELEASE: 'gatehouse',
      ISSUER: 'https://id.example.com',
    },
  });
  const called = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  const rollback = called.find((call) => call.startsWith('helm rollback'));
  return {
    status,
    stderr,
    called,
    rollback,
    upgrade: called.find((call) => call.startsWith('helm upgrade')),
  };
}

test('a signed release is installed by digest, tested, and checked by the doctor last', () => {
  const { status, called, upgrade, rollback } = deploy();
  expect([status, rollback]).toEqual([0, undefined]);
  expect(upgrade).toContain(`--set-string image.digest=${digest} --atomic`);
  expect(called.at(-2)).toMatch(/^helm test/);
  expect(called.at(-1)).toBe('gatehouse doctor --issuer https://id.example.com');
  const identity =
    '--certificate-identity https://github.com/example/identity/.github/workflows/release.yml@refs/tags/v1.2.3';
  expect(
    called.filter((call) => call.startsWith('cosign verify') && call.includes(`${identity} `)),
  ).toHaveLength(2);
});

test.each([
  ['an image', 'cosign .*gatehouse/image@'],
  ['a chart', 'cosign .*charts/gatehouse@'],
])('%s without the signature of the release is not installed', (_, fails) => {
  expect(deploy({ fails })).toMatchObject({ status: 1, upgrade: undefined });
});

test.each(['helm test', 'gatehouse doctor'])('the release before comes back if `%s` fails', (fails) => {
  const { status, rollback, stderr } = deploy({ fails });
  expect(status).toBe(1);
  expect(rollback).toMatch(/^helm rollback gatehouse 4 /);
  expect(stderr).toContain('revision 4 is back');
});

test('a first installation that fails says that there is nothing to go back to', () => {
  const { status, rollback, stderr } = deploy({ releases: '[]', fails: 'gatehouse doctor' });
  expect([status, rollback]).toEqual([1, undefined]);
  expect(stderr).toContain('no release before it');
});

test('a cluster that does not say which release runs, and a version that is none, end the deployment before it changes anything', () => {
  for (const fails of ['helm list', 'helm history'])
    expect(deploy({ fails })).toMatchObject({ status: 1, upgrade: undefined });
  expect(deploy({ version: 'latest' })).toMatchObject({ status: 1, called: [] });
});
