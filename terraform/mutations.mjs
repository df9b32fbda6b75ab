#!/usr/bin/env node
// biome-ignore-all lint/suspicious/noConsole: a program of the command line
// Puts wrong values into copies of the roots, one after the other, and sees that a check catches each with a clear message.
//   node terraform/mutations.mjs [platform|fargate|edge] [values|edits]
// Needs what `terraform test` needs: see check.sh, which finds the provider. Ends with 1 if a wrong value gets through.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { edits, values } from './mutations.list.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [wanted, only] = process.argv.slice(2);
let missed = 0;

function report(root, what, message, output) {
  const text = output.replace(/\s+/g, ' ');
  const caught = text.includes(message.replace(/\s+/g, ' '));
  if (!caught) missed += 1;
  console.log(`${caught ? 'caught' : 'MISSED'}  ${root.padEnd(8)} ${what} → ${message}`);
  if (!caught) console.log(output.trim().split('\n').slice(-25).join('\n'));
}

/** What a command writes, with its errors where they belong, whether it fails or not. */
function run(command, folder) {
  const { stdout } = spawnSync('sh', ['-c', `exec ${command} 2>&1`], { cwd: folder, encoding: 'utf8' });
  return stdout;
}

/** Terraform breaks long messages into lines that begin with a bar. */
const flat = (text) => text.replace(/^[│╷╵|]\s?/gm, '');

function inCopy(root, action) {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-mutation-'));
  try {
    cpSync(here, folder, { recursive: true, filter: (path) => !path.endsWith('.terraform') });
    return action(folder, join(folder, root));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Wrong values of variables: each becomes a test file of its own, so that one run of Terraform tries all. */
function tryValues(root) {
  const mine = values.filter((mutation) => mutation.root === root);
  if (mine.length === 0) return;
  inCopy(root, (_, folder) => {
    const original = readFileSync(join(folder, 'tests', `${root}.tftest.hcl`), 'utf8');
    const head = original.slice(0, original.indexOf('\nrun "'));
    mkdirSync(join(folder, 'wrong'));
    for (const [index, { set }] of mine.entries())
      writeFileSync(
        join(folder, 'wrong', `${String(index).padStart(2, '0')}.tftest.hcl`),
        `${head}\nrun "wrong" {\n  command = plan\n  variables {\n    ${set}\n  }\n}\n`,
      );
    run('terraform get -test-directory=wrong', folder);
    const output = flat(run('terraform test -no-color -test-directory=wrong', folder));
    for (const [index, { set, message }] of mine.entries()) {
      const file = `wrong/${String(index).padStart(2, '0')}.tftest.hcl`;
      const from = output.indexOf(`${file}... in progress`);
      const to = output.indexOf(`${file}... tearing down`, from);
      report(
        root,
        set.replace(/\s+/g, ' '),
        message,
        from < 0 ? output : output.slice(from, to < 0 ? undefined : to),
      );
    }
  });
}

/** Wrong lines in the files. */
function tryEdits(root) {
  for (const { file, from, to, by, message, ...mutation } of edits) {
    if (mutation.root !== root) continue;
    inCopy(root, (copy, folder) => {
      const path = join(copy, file);
      const before = readFileSync(path, 'utf8');
      const after = before.replace(from, to);
      if (after === before) {
        missed += 1;
        return console.log(`MISSED  ${root} ${file} has no \`${from}\` any more`);
      }
      writeFileSync(path, after);
      const what = `${file}: ${String(from).split('\n')[0]} ⇒ ${to.split('\n')[0]}`;
      if (by === 'pages') return report(root, what, message, run('node docs.mjs --check', copy));
      run('terraform get', folder);
      return report(root, what, message, flat(run('terraform test -no-color', folder)));
    });
  }
}

for (const root of ['platform', 'fargate', 'edge']) {
  if (wanted && wanted !== root) continue;
  if (only !== 'edits') tryValues(root);
  if (only !== 'values') tryEdits(root);
}
console.log(
  missed === 0
    ? 'ok: terraform-mutations'
    : `failed: terraform-mutations: ${missed} wrong values got through`,
);
process.exitCode = missed === 0 ? 0 : 1;
