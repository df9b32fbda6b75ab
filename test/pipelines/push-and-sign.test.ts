import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const digest = `sha256:${'a'.repeat(64)}`;
const environment = {
  REGISTRY: 'registry.example',
  REPOSITORY: 'gatehouse/image',
  VERSION: '1.2.3',
  REVISION: 'c0ffee',
};

/** Runs a script of .ci with programs that write down how they were called. The programs are texts of shell scripts. */
function run(script: string, programs: Record<string, string>, args: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'push-'));
  const calls = join(folder, 'calls');
  mkdirSync(join(folder, 'bin'));
  cpSync(`.ci/${script}`, join(folder, `.ci/${script}`));
  writeFileSync(join(folder, '.ci/image.sh'), 'echo "build $IMAGE of $REVISION" >>"$CALLS"\n');
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\necho "${name} $*" >>"$CALLS"\n${text}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const { status, stdout, stderr } = spawnSync('bash', [`.ci/${script}`, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...environment,
      IDENTITY: 'https://id.example/release.yml@v1',
      CALLS: calls,
      PATH: `${folder}/bin:${process.env.PATH}`,
    },
  });
  const called = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { status, stdout: stdout.trim(), stderr, called };
}

/** ECR, which has the image after a push or has it from the start. */
const ecr = (missing: string) => `if [[ $* = *--query* ]]; then echo ${digest}; else ${missing}; fi`;
const docker = (revision: string) => `[ "$1" != inspect ] || echo ${revision}`;

test('an image that is not there is built once and pushed, and the digest is printed', () => {
  const aws = ecr('echo "An error occurred (ImageNotFoundException)" >&2; exit 254');
  const { status, stdout, called } = run('push-image.sh', { aws, docker: docker('c0ffee') });
  expect([status, stdout]).toEqual([0, digest]);
  expect(called.filter((call) => /^build|docker push/.test(call))).toEqual([
    'build registry.example/gatehouse/image:1.2.3 of c0ffee',
    'docker push --quiet registry.example/gatehouse/image:1.2.3',
  ]);
});

test('an image of this commit that is there is taken, and nothing is built', () => {
  const { status, stdout, called } = run('push-image.sh', { aws: ecr('true'), docker: docker('c0ffee') });
  expect([status, stdout]).toEqual([0, digest]);
  expect(called.filter((call) => /^build|docker push/.test(call))).toEqual([]);
});

test('an image of another commit under the version is refused', () => {
  const { status, stdout, stderr } = run('push-image.sh', { aws: ecr('true'), docker: docker('0ddba11') });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('was built from 0ddba11, not from c0ffee');
});

test('an answer of ECR that is neither yes nor no ends the push', () => {
  const aws = ecr('echo "An error occurred (AccessDeniedException)" >&2; exit 254');
  const { status, stderr, called } = run('push-image.sh', { aws, docker: docker('c0ffee') });
  expect(status).toBe(1);
  expect(stderr).toContain('AccessDeniedException');
  expect(called).toHaveLength(1);
});

test('signature and SBOM are written and then verified with the exact workflow', () => {
  const subject = `registry.example/gatehouse/image@${digest}`;
  const { status, called } = run('sign.sh', { cosign: '' }, [subject, 'sbom.json']);
  expect(status).toBe(0);
  const signer =
    '--certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity https://id.example/release.yml@v1';
  expect(called).toEqual([
    `cosign sign --yes ${subject}`,
    `cosign attest --yes --type spdxjson --predicate sbom.json ${subject}`,
    `cosign verify ${signer} ${subject}`,
    `cosign verify-attestation --type spdxjson ${signer} ${subject}`,
  ]);
});

test('a signature or an SBOM that the registry does not have fails', () => {
  const subject = `registry.example/gatehouse/image@${digest}`;
  for (const command of ['verify', 'verify-attestation'])
    expect(run('sign.sh', { cosign: `[ "$1" != ${command} ]` }, [subject, 'sbom.json']).status).toBe(1);
});

test('a tag is not signed', () => {
  const { status, stderr, called } = run('sign.sh', { cosign: '' }, [
    'registry.example/gatehouse/image:1.2.3',
  ]);
  expect([status, called]).toEqual([1, []]);
  expect(stderr).toContain('has no digest');
});
