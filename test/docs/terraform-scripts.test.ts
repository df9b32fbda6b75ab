import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** A program that counts its calls in a file beside it, for the shell scripts that Terraform runs. */
function program(name: string, script: string): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-script-'));
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\ncalls="${folder}/calls"\necho "$*" >> "$calls"\n${script}\n`);
  chmodSync(path, 0o755);
  return { folder, path };
}

function run(script: string, env: Record<string, string>) {
  const { PATH = '' } = process.env;
  const settings = { PATH, SECONDS_BETWEEN: '0', ...env };
  const { status, stdout, stderr } = spawnSync(`terraform/${script}`, { env: settings, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const waitForDiscovery = (doctor: string, seconds = '0') =>
  run('edge/scripts/wait-for-discovery.sh', {
    ISSUER: 'https://id.example.com',
    DOCTOR: `'${doctor}' 'first word'`,
    SECONDS_TO_TRY: seconds,
  });

test('the authorizer waits until the doctor finds nothing', () => {
  const { path } = program('doctor', '[ "$(wc -l < "$calls")" -ge 3 ]');
  expect(waitForDiscovery(path, '60')).toMatchObject({
    status: 0,
    output: expect.stringMatching(/trying again[\s\S]*trying again[\s\S]*meets all rules/),
  });
});

test('the authorizer is not made if a rule is not met, and the report says which', () => {
  const { path } = program('doctor', 'echo "issuer-match: $* differs"; exit 1');
  expect(waitForDiscovery(path)).toMatchObject({
    status: 1,
    output: expect.stringMatching(
      /issuer-match: first word doctor --issuer https:\/\/id\.example\.com differs[\s\S]*the authorizer was not made/,
    ),
  });
});

test('a doctor that is not installed is named', () => {
  expect(waitForDiscovery('no-such-program')).toMatchObject({
    status: 1,
    output: expect.stringMatching(/'no-such-program' is not here. Set doctor.command/),
  });
});

const runTask = (script: string) => {
  const { folder } = program('aws', script);
  return run('fargate/scripts/run-task.sh', {
    PATH: `${folder}:${process.env.PATH ?? ''}`,
    AWS_REGION: 'eu-central-1',
    CLUSTER: 'gatehouse',
    TASK_DEFINITION: 'arn:migrate',
    SUBNETS: 'subnet-1,subnet-2',
    SECURITY_GROUP: 'sg-tasks',
    LOG_GROUP: '/gatehouse/gatehouse',
  });
};

const awsThatEndsWith = (code: string) => `case "$*" in
  *run-task*) echo arn:task ;;
  *lastStatus*) [ "$(grep -c lastStatus "$calls")" -ge 2 ] && echo STOPPED || echo RUNNING ;;
  *exitCode*) echo ${code} ;;
  *) echo "Essential container in task exited" ;;
esac`;

test('a migration that ends with 0 lets the services change', () => {
  expect(runTask(awsThatEndsWith('0'))).toEqual({ status: 0, output: 'Waiting for arn:task\n' });
});

test.each([
  ['fails', awsThatEndsWith('1'), /ended with 1: Essential container in task exited[\s\S]*aws logs tail/],
  ['never runs', awsThatEndsWith('None'), /ended with None/],
  ['is not started', 'echo None', /ECS started no task/],
])('a migration that %s stops the run', (_, script, message) => {
  expect(runTask(script)).toMatchObject({ status: 1, output: expect.stringMatching(message) });
});
