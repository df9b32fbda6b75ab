/**
 * Bundles the compiled program: `node .ci/bundle.js FOLDER` replaces `provider/bin/cli.js` in that folder and writes the
 * parts that it loads into `parts/`. Without it, `serve` would load 1450 files at its start, and most of the time of a start
 * is the search for files. docs/decisions/0029-bundle.md has the reasons.
 *
 * Parts that only a command or a feature needs stay parts of their own, which are loaded by `import()` as in the source.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

/** Packages that are not bundled. The program loads them from node_modules. */
const apart = [
  // They have binaries.
  ...['@node-rs/*', '@electric-sql/*'],
  // They are large, and few processes load them.
  ...['@aws-sdk/*', '@smithy/*', '@kubernetes/*', '@simplewebauthn/*', '@zxcvbn-ts/*'],
  ...['@opentelemetry/core', '@opentelemetry/resources', '@opentelemetry/sdk-trace-base'],
  ...['@opentelemetry/exporter-trace-otlp-proto', 'nodemailer', 'hibp', 'otpauth', 'uqr'],
  // Drivers of other databases, which knex and pg name and which are not installed.
  ...['better-sqlite3', 'mysql', 'mysql2', 'mariadb', 'oracledb', 'sqlite3', 'tedious'],
  ...['pg-native', 'pg-query-stream'],
];

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder of the compiled program.');
const program = join(folder, 'provider', 'bin', 'cli.js');
const { metafile } = await build({
  entryPoints: [program],
  outdir: folder,
  outbase: folder,
  allowOverwrite: true,
  chunkNames: 'parts/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: apart,
  // Bundled CommonJS modules call `require` for the modules of Node.
  banner: {
    js: "import { createRequire as createRequireOfPart } from 'node:module'; const require = createRequireOfPart(import.meta.url);",
  },
  // The text of a loaded program stays in memory. Names stay as they are, and lines stay short, for stack traces.
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
await chmod(program, 0o755);

/** The packages in each part, for those who look for a package. */
const packageOf = (path) => /(?:^|.*\/)node_modules\/(?<name>(@[^/]+\/)?[^/]+)/.exec(path)?.groups?.name;
const contents = Object.entries(metafile.outputs).map(([part, { inputs }]) => [
  relative(folder, part),
  [...new Set(Object.keys(inputs).flatMap((path) => packageOf(path) ?? []))].sort(),
]);
await writeFile(
  join(folder, 'parts', 'packages.json'),
  `${JSON.stringify(Object.fromEntries(contents), null, 2)}\n`,
);

/**
 * oidc-provider stores the names of its models and answers by the names of its errors. A bundler may change the name of a
 * class.
 */
const named = /\/oidc-provider\/lib\/(models\/|helpers\/(re_render_)?errors\.js)/;
let classes = 0;
for (const [part, { inputs }] of Object.entries(metafile.outputs)) {
  const paths = Object.keys(inputs).filter((path) => named.test(path));
  const text = paths.length > 0 ? await readFile(part, 'utf8') : '';
  for (const path of paths)
    for (const [, name] of (await readFile(path, 'utf8')).matchAll(/\bclass (\w+)/g)) {
      classes += 1;
      const keeps = new RegExp(`\\bclass ${name}\\b|\\b${name}=class( extends|\\{)`);
      if (!keeps.test(text)) throw new Error(`The bundle has another name for the class ${name} of ${path}.`);
    }
}
if (classes < 30) throw new Error(`Only ${classes} classes of oidc-provider were found.`);
