import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const changelog =
  '# Changelog\n\n## 1.2.3 (2027-01-31)\n\n- A change.\n\n## 1.2.2 (2027-01-01)\n\n- Another.\n';

/** Runs .ci/check-release.sh in a repository with these files. */
function check(
  tag: string,
  { version = '1.2.3', verify = '1.2.3', chart = '1.2.3', changes = changelog } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  cpSync('.ci/check-release.sh', join(folder, '.ci/check-release.sh'));
  mkdirSync(join(folder, 'charts/gatehouse'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), `{\n  "name": "gatehouse",\n  "version": "${version}",\n}\n`);
  mkdirSync(join(folder, 'packages/verify'), { recursive: true });
  writeFileSync(join(folder, 'packages/verify/package.json'), `{\n  "version": "${verify}",\n}\n`);
  writeFileSync(join(folder, 'charts/gatehouse/Chart.yaml'), `version: ${chart}\nappVersion: ${chart}\n`);
  writeFileSync(join(folder, 'CHANGELOG.md'), changes);
  const { status, stderr } = spawnSync('bash', ['.ci/check-release.sh', tag], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, problems: stderr.trim().split('\n').filter(Boolean) };
}

test('a tag with the version of package.json, chart and changelog may be released', () => {
  expect(check('v1.2.3')).toEqual({ status: 0, problems: [] });
});

test.each([
  ['a tag that is no version', check('v1.2'), /must be v and a version/],
  [
    'another version in package.json',
    check('v1.2.3', { version: '1.2.2' }),
    /package.json has the version '1.2.2'/,
  ],
  [
    'another version in the package for services',
    check('v1.2.3', { verify: '1.2.2' }),
    /packages\/verify\/package.json has the version '1.2.2'/,
  ],
  ['another version in the chart', check('v1.2.3', { chart: '1.2.2' }), /Chart.yaml \(version\) has/],
  [
    'a section without a date',
    check('v1.2.3', { changes: changelog.replace('2027-01-31', 'unreleased') }),
    /must have the heading '## 1.2.3 \(YYYY-MM-DD\)'/,
  ],
  ['an empty section', check('v1.2.3', { changes: changelog.replace('- A change.', '') }), /what changed/],
  ['no section', check('v1.2.3', { changes: '# Changelog\n' }), /must have the heading/],
])('%s is refused', (_, { status, problems }, message) => {
  expect(status).toBe(1);
  expect(problems).toContainEqual(expect.stringMatching(message));
});
