import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const terraform = `#!/bin/bash
for word in "$@"; do case $word in -out=*) echo "the plan" >"\${word#-out=}" ;; esac; done
if [ "$2" = apply ]; then echo "applied: $(cat "\${@: -1}")"; fi
`;
/** S3, in which the parts of a key are one name of a file. */
const aws = `#!/bin/bash
from=$4 to=$5
in_bucket() { echo "$BUCKET/$(echo "\${1#s3://}" | tr / _)"; }
case $from in s3://*) cp "$(in_bucket "$from")" "$to" ;; *) cp "$from" "$(in_bucket "$to")" ;; esac
`;

/** A repository with a plan of `platform` in its bucket. */
function planned() {
  const folder = mkdtempSync(join(tmpdir(), 'plan-'));
  const main = join(folder, 'main');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], {
      cwd: main,
      encoding: 'utf8',
    }).trim();
  for (const name of ['main/terraform/platform', 'bin', 'bucket'])
    mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries({ terraform, aws })) {
    writeFileSync(join(folder, 'bin', name), text);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  cpSync('.ci/terraform.sh', join(main, '.ci/terraform.sh'));
  const save = (file: string, text: string) => {
    writeFileSync(join(main, file), text);
    git('add', '.');
    git('commit', '-qm', 'x');
  };
  git('init', '-q');
  save('terraform/platform/main.tf', '# one');
  const commit = git('rev-parse', 'HEAD');
  const terraformScript = (...args: string[]) =>
    spawnSync('bash', ['.ci/terraform.sh', ...args], {
      cwd: main,
      encoding: 'utf8',
      env: {
        PATH: `${folder}/bin:${process.env.PATH}`,
        BUCKET: `${folder}/bucket`,
        STATE_BUCKET: 'state',
        AWS_REGION: 'eu-central-1',
        TFVARS: 'x = 1',
      },
    });
  const { stdout } = terraformScript('plan', 'platform');
  git('clean', '-qfd');
  const hash = /SHA-256 ([0-9a-f]{64})/.exec(stdout)?.[1] ?? '';
  execFileSync('git', ['clone', '-q', main, join(folder, 'planned')]);
  const apply = (root = 'platform', given = { commit, hash }) => {
    const { status, stdout, stderr } = terraformScript('apply', root, given.commit, given.hash, '../planned');
    return { status, applied: /applied: .*/.exec(stdout)?.[0], stderr };
  };
  return { apply, save, commit, hash, bucket: join(folder, 'bucket') };
}

test('a plan is applied after a merge that leaves terraform/ as it was planned', () => {
  const { apply, save, bucket, commit, hash } = planned();
  expect(readdirSync(bucket)).toEqual([`state_plans_platform_${commit}_${hash}.tfplan`]);
  save('README.md', 'another commit');
  expect(apply()).toMatchObject({ status: 0, applied: 'applied: the plan' });
});

test('a plan of other files is refused', () => {
  const { apply, save } = planned();
  save('terraform/platform/main.tf', '# two');
  expect(apply()).toMatchObject({
    status: 1,
    applied: undefined,
    stderr: expect.stringContaining('is not what was planned'),
  });
});

test('a plan that was replaced in the bucket is refused', () => {
  const { apply, bucket } = planned();
  for (const name of readdirSync(bucket)) writeFileSync(join(bucket, name), 'another plan');
  expect(apply()).toMatchObject({
    status: 1,
    applied: undefined,
    stderr: expect.stringContaining('is not the one with this SHA-256'),
  });
});

test('another commit, a hash that is none, and an unknown root are refused', () => {
  const { apply, commit, hash } = planned();
  expect(apply('platform', { commit: 'a'.repeat(40), hash }).stderr).toContain('is not a checkout of');
  expect(apply('platform', { commit, hash: 'x' }).stderr).toContain('must have 64 digits');
  expect(apply('../secret', { commit, hash }).stderr).toContain('there is no root');
});
