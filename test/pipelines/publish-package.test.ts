import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Runs the script with an npm that answers `view` with a checksum, and writes down every call. */
function publish(version: string, published = '', ours = 'aaa') {
  const folder = mkdtempSync(join(tmpdir(), 'publish-'));
  const calls = join(folder, 'calls');
  cpSync('.ci/publish-package.sh', join(folder, '.ci/publish-package.sh'));
  mkdirSync(join(folder, 'packages/verify'), { recursive: true });
  const { version: _, ...manifest } = JSON.parse(readFileSync('packages/verify/package.json', 'utf8'));
  const text = JSON.stringify({ version, ...manifest }, null, 2);
  writeFileSync(join(folder, 'packages/verify/package.json'), text);
  mkdirSync(join(folder, 'bin'));
  const npm = `#!/bin/bash
echo "npm $*" >>"${calls}"
case "$*" in
  view*) [ -n "${published}" ] && echo "${published}" ;;
  pack*) printf '[\\n  {\\n    "shasum": "${ours}",\\n  }\\n]\\n' ;;
esac
`;
  writeFileSync(join(folder, 'bin/npm'), npm);
  chmodSync(join(folder, 'bin/npm'), 0o755);
  const { status, stderr } = spawnSync('bash', ['.ci/publish-package.sh', 'packages/verify'], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'team/gatehouse',
    },
  });
  const called = readFileSync(calls, 'utf8').trim().split('\n');
  return { status, stderr, called, published: called.filter((call) => call.startsWith('npm publish')) };
}

test('a new version is published with provenance, and names the repository', () => {
  const { status, called, published } = publish('1.2.3');
  expect(status).toBe(0);
  expect(published).toEqual(['npm publish --provenance --access public --tag latest']);
  expect(called).toContain('npm view @gatehouse/verify@1.2.3 dist.shasum');
  expect(called[0]).toContain('repository.url=git+https://github.example/team/gatehouse.git');
  expect(called[0]).toContain('repository.directory=packages/verify');
});

test('a version with a suffix does not become the latest one', () => {
  expect(publish('1.2.3-rc.1').published).toEqual(['npm publish --provenance --access public --tag next']);
});

test('a version that is there is left as it is', () => {
  expect(publish('1.2.3', 'aaa', 'aaa')).toMatchObject({ status: 0, published: [] });
});

test('a version that is there with another content is refused', () => {
  const { status, stderr, published } = publish('1.2.3', 'aaa', 'bbb');
  expect([status, published]).toEqual([1, []]);
  expect(stderr).toContain('with another content');
});
