/**
 * Compiles the package into `build/`. There is one form of the code, ES modules: Node 20.19 and later load it with
 * `require` too. TypeScript reads the types of a CommonJS importer from a folder of their own, `build/require/`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(fileURLToPath(import.meta.url));
const build = join(home, 'build');
const tsc = fileURLToPath(new URL('tsc.js', import.meta.resolve('typescript')));

rmSync(build, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', home], { stdio: 'inherit' });

const types = readdirSync(build, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.d.ts'),
);
for (const path of types) {
  const file = join(build, path);
  // The compiler rewrites these names in the code, but not in the types.
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
  const copy = join(build, 'require', path);
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(file, copy);
}
writeFileSync(join(build, 'require/package.json'), '{ "type": "commonjs" }\n');
