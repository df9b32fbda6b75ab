/**
 * Runs inside the finished image, as the last step of its build (see the Dockerfile). Any problem fails the build. It
 * checks what only the image itself can show: that its Node has the expected version, that native modules load, that no
 * file is missing that a command loads later, and that it is not larger than it may be.
 */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const megabyte = 1_000_000;
const mostMegabytes = 200;
const app = '/app';
const { NODE_MAJOR, VERSION, NODE_EXTRA_CA_CERTS } = process.env;
const problems = [];

function namesIn(folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    // The check runs as the user of the image. Root's empty home is closed to it.
    if (error.code === 'EACCES') return [];
    throw error;
  }
}

/** Files of a folder and its subfolders, without links and other file systems. */
function* filesIn(folder) {
  const { dev } = lstatSync(folder);
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const info = lstatSync(path);
    if (info.dev !== dev) continue;
    if (info.isDirectory()) yield* filesIn(path);
    else if (info.isFile()) yield { path, bytes: info.size, mode: info.mode };
  }
}

async function check(what, task) {
  try {
    const problem = await task();
    if (problem) problems.push(`${what}: ${problem}`);
  } catch (error) {
    problems.push(`${what}: ${error.message}`);
  }
}

const load = (path) => import(pathToFileURL(join(app, 'build', path)).href);

await check('Node', () => {
  const found = process.versions.node;
  if (found.split('.')[0] !== NODE_MAJOR) return `is ${found}, and NODE_MAJOR says ${NODE_MAJOR}`;
});

await check('password hashing', async () => {
  const require = createRequire(join(app, 'package.json'));
  const { hash, verify } = require('@node-rs/argon2');
  if (!(await verify(await hash('a password'), 'a password'))) return 'argon2 does not verify its own hash';
  const bcrypt = require('@node-rs/bcrypt');
  if (!(await bcrypt.verify('a password', await bcrypt.hash('a password', 4))))
    return 'bcrypt does not verify its own hash';
});

// Every module, also those that a command loads when it needs them. Programs would start when they are loaded.
await check('modules', async () => {
  const programs = ['provider/bin/cli.js', 'provider/bin/generate.js'];
  const developmentOnly = (path) =>
    path.startsWith('adapters/embedded/') ||
    (path.startsWith('parts/') && readFileSync(join(app, 'build', path), 'utf8').includes('@electric-sql/'));
  const modules = [...filesIn(join(app, 'build'))].map(({ path }) =>
    path.slice(app.length + '/build/'.length),
  );
  const wanted = modules.filter(
    (path) => path.endsWith('.js') && !programs.includes(path) && !developmentOnly(path),
  );
  if (wanted.length < 200) return `only ${wanted.length} were found`;
  const failed = [];
  for (const path of wanted) await load(path).catch(({ message }) => failed.push(`${path}: ${message}`));
  return failed.join('\n  ');
});

/** The files that a file names in `import` and `require`, with the path of each, or the reason why there is none. */
function* filesNamedIn(path) {
  const text = readFileSync(path, 'utf8');
  const require = createRequire(path);
  const ways = [
    [/\brequire\s*\(\s*(["'])([^"'\n]+)\1/g, (name) => require.resolve(name)],
    [
      /\b(?:from|import)\s*\(?\s*(["'])([^"'\n]+)\1/g,
      (name) => fileURLToPath(import.meta.resolve(name, pathToFileURL(path).href)),
    ],
  ];
  for (const [pattern, resolve] of ways)
    for (const [, , name] of text.matchAll(pattern)) {
      if (isBuiltin(name)) continue;
      try {
        yield { name, found: resolve(name) };
      } catch {
        yield { name };
      }
    }
}

/**
 * Whether a name that leads to no file means that a file was left out. It does not for a package that is not installed
 * (drivers of other databases), for a binary of another platform, or for words in a comment that look like an import.
 */
function isLeftOut(name) {
  if (name.startsWith('.')) return /\.[cm]?js(on)?$/.test(name) && !name.includes('.wasi.');
  const [, library] = name.match(/^(@[\w.-]+\/[\w.-]+|[\w.-]+)(\/|$)/) ?? [];
  return library !== undefined && existsSync(join(app, 'node_modules', library));
}

// Libraries load some of their files only when they need them, long after the module itself was loaded.
await check('files that are loaded later', () => {
  const waiting = [...filesIn(join(app, 'build'))].map(({ path }) => path);
  const seen = new Set();
  const missing = [];
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (seen.has(path) || !/\.[cm]?js$/.test(path)) continue;
    seen.add(path);
    for (const { name, found } of filesNamedIn(path)) {
      if (found && existsSync(found)) waiting.push(found);
      else if (isLeftOut(name)) missing.push(`${name}, which ${path} names`);
    }
  }
  if (seen.size < 2000) return `only ${seen.size} were found`;
  return missing.join('\n  ');
});

await check('the command line', () => {
  const { status, stdout, stderr } = spawnSync(join(app, 'bin/gatehouse'), ['version', '--json'], {
    encoding: 'utf8',
  });
  if (status !== 0) return `ended with ${status}: ${stderr}`;
  const { version } = JSON.parse(stdout);
  if (version !== VERSION) return `says version ${version}, and the label says ${VERSION}`;
});

await check('certificates', () => {
  const text = readFileSync(NODE_EXTRA_CA_CERTS, 'utf8');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length < 100) return `${NODE_EXTRA_CA_CERTS} has only ${blocks.length}`;
  if (!blocks.every((block) => new X509Certificate(block).ca)) return 'not each is an authority';
});

await check('what must be absent', () => {
  const found = [
    '/bin/sh',
    '/usr/bin/env',
    '/nodejs/lib/node_modules/npm',
    `${app}/node_modules/@electric-sql`,
  ]
    .concat(['typescript', 'jest', 'tsx'].map((name) => `${app}/node_modules/${name}`))
    .filter((path) => existsSync(path));
  return found.join(', ');
});

const files = [...filesIn('/')];
await check('rights', () => {
  const wrong = files.filter(
    ({ path, mode }) => (mode & 0o6000) !== 0 || (path.startsWith(app) && (mode & 0o022) !== 0),
  );
  return wrong.map(({ path }) => path).join(', ');
});

const sum = (some) => some.reduce((total, { bytes }) => total + bytes, 0);
const inMegabytes = (some) => Math.round((sum(some) / megabyte) * 10) / 10;
await check('size', () => {
  if (sum(files) > mostMegabytes * megabyte)
    return `${inMegabytes(files)} MB, at most ${mostMegabytes} are allowed`;
});

const parts = [
  ['Node', '/nodejs/'],
  ['libraries', `${app}/node_modules/`],
  ['compiled code', `${app}/build/`],
  ['pages', `${app}/views/`],
  ['certificates of RDS', `${app}/certificates/`],
];
const of = (prefix) => files.filter(({ path }) => path.startsWith(prefix));
const rest = files.filter(({ path }) => !parts.some(([, prefix]) => path.startsWith(prefix)));
const rows = parts.map(([name, prefix]) => [name, of(prefix)]);
for (const [name, some] of [...rows, ['Debian and the rest', rest], ['all', files]])
  process.stdout.write(`${name}: ${inMegabytes(some)} MB in ${some.length} files\n`);

if (problems.length > 0) {
  process.stderr.write(`The image has problems:\n${problems.map((problem) => `- ${problem}\n`).join('')}`);
  process.exit(1);
}
