#!/usr/bin/env node
// biome-ignore-all lint/suspicious/noConsole: a program of the command line
// Writes the tables of variables and outputs into the README of each root, and the graph of each root into docs/terraform.md.
//   node terraform/docs.mjs --write [--graphs]    node terraform/docs.mjs --check [--graphs]
// --graphs needs `terraform`. It also checks rules that no plan shows, and names each problem.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const roots = ['platform', 'edge', 'fargate'];
const modules = readdirSync(join(here, 'modules')).map((name) => join('modules', name));
const problems = [];

const filesOf = (folder) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith('.tf'))
    .map((name) => join(folder, name));
const read = (path) => readFileSync(join(here, path), 'utf8');

/** The blocks of one kind in a file that `terraform fmt` has formatted: name and lines. */
function blocks(text, kind) {
  const found = text.matchAll(new RegExp(`^${kind} "([^"]+)" \\{\\n([\\s\\S]*?)^\\}`, 'gm'));
  return [...found].map(([, name, body]) => ({ name, body }));
}

/** The value of an argument of a block, without its indentation; several lines if it has them. */
function argument(body, name) {
  const lines = body.split('\n');
  const first = lines.findIndex((line) => new RegExp(`^  ${name} +=`).test(line));
  if (first < 0) return undefined;
  let last = first;
  while (/^( {3,}\S|$)/.test(lines[last + 1] ?? 'end') && lines[first].match(/[({[]$/)) last += 1;
  if (last > first || /^ {2}[)}\]]/.test(lines[last + 1] ?? '')) last += 1;
  const value = lines.slice(first, last + 1).map((line) => line.replace(/^ {2}/, ''));
  return value.join('\n').replace(/^\w+ += /, '');
}

const unquote = (text) => text?.replace(/^"|"$/g, '').replace(/\\"/g, '"');
const cell = (text) => (text ?? '').replaceAll('|', '\\|');

function variablesOf(folder) {
  return filesOf(folder)
    .flatMap((path) => blocks(read(path), 'variable'))
    .map(({ name, body }) => ({
      name,
      description: unquote(argument(body, 'description')),
      type: argument(body, 'type'),
      default: argument(body, 'default'),
      validated: body.includes('validation {'),
    }));
}

function outputsOf(folder) {
  return filesOf(folder)
    .flatMap((path) => blocks(read(path), 'output'))
    .map(({ name, body }) => ({ name, description: unquote(argument(body, 'description')) }));
}

function tables(root) {
  const variables = variablesOf(root);
  const short = (text) => (text.includes('\n') ? 'see below' : `\`${text}\``);
  const rows = variables.map(
    ({ name, description, type, default: value }) =>
      `| \`${name}\` | ${cell(description)} | ${cell(short(type))} | ${value === undefined ? 'required' : cell(short(value))} |`,
  );
  const long = variables.filter(({ type, default: value }) => type.includes('\n') || value?.includes('\n'));
  const details = long.map(
    ({ name, type, default: value }) =>
      `\`${name}\`:\n\n\`\`\`hcl\n${type}${value?.includes('\n') ? `\n\n# default\n${value}` : ''}\n\`\`\`\n`,
  );
  const outputs = outputsOf(root).map(({ name, description }) => `| \`${name}\` | ${cell(description)} |`);
  return [
    '## Variables\n',
    '| name | what | type | default |\n|---|---|---|---|',
    `${rows.join('\n')}\n`,
    details.join('\n'),
    '## Outputs\n',
    '| name | what |\n|---|---|',
    `${outputs.join('\n')}`,
  ].join('\n');
}

/** What depends on what in a root, as Mermaid: modules are one box each. Made from a copy, because the state must not be asked. */
function graph(root) {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-graph-'));
  try {
    cpSync(here, folder, { recursive: true, filter: (path) => !path.endsWith('.terraform') });
    const versions = join(folder, root, 'versions.tf');
    writeFileSync(versions, readFileSync(versions, 'utf8').replace(/^ {2}backend [\s\S]*?^ {2}\}\n/m, ''));
    const options = { cwd: join(folder, root), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
    execFileSync('terraform', ['get'], options);
    const dot = execFileSync('terraform', ['graph'], options);
    const box = (address) => address.match(/^module\.([^.[]+)/)?.[1] ?? address.replace(/^data\..*/, '');
    const edges = new Set();
    const all = new Set();
    for (const [, from] of dot.matchAll(/^\s+"([^"]+)" \[label/gm)) all.add(box(from));
    for (const [, from, to] of dot.matchAll(/"([^"]+)" -> "([^"]+)"/g)) {
      const [a, b] = [box(from), box(to)];
      if (a !== b && a && b) edges.add(`${a} ${b}`);
    }
    all.delete('');
    const id = (name) => name.replace(/[^a-z0-9_]/gi, '_');
    return [
      '```mermaid',
      'flowchart LR',
      ...[...all].sort().map((name) => `  ${id(name)}["${name}"]`),
      // An arrow leads from what is made first to what needs it.
      ...withoutShortCuts(edges).map(([from, to]) => `  ${id(to)} --> ${id(from)}`),
      '```',
    ].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Leaves out an arrow where a longer way says the same. */
function withoutShortCuts(edges) {
  const pairs = [...edges].sort().map((edge) => edge.split(' '));
  const next = Map.groupBy ? Map.groupBy(pairs, ([from]) => from) : group(pairs);
  const reaches = (from, to, skip, seen = new Set()) =>
    (next.get(from) ?? []).some(([, via]) => {
      if ((from === skip[0] && via === skip[1]) || seen.has(via)) return false;
      seen.add(via);
      return via === to || reaches(via, to, skip, seen);
    });
  return pairs.filter((pair) => !reaches(pair[0], pair[1], pair));
}

function group(pairs) {
  const map = new Map();
  for (const pair of pairs) map.set(pair[0], [...(map.get(pair[0]) ?? []), pair]);
  return map;
}

/** Replaces what is between the two marks in a page, or reports that it is old. */
function put(page, mark, text, write) {
  const before = readFileSync(page, 'utf8');
  const [start, end] = [`<!-- ${mark} -->\n`, `\n<!-- end of ${mark} -->`];
  const from = before.indexOf(start);
  const to = before.indexOf(end);
  if (from < 0 || to < 0) return problems.push(`${page} lacks the marks of ${mark}`);
  const after = `${before.slice(0, from)}${start}\n${text}\n${before.slice(to)}`;
  if (after === before) return undefined;
  if (write) return writeFileSync(page, after);
  return problems.push(`${page}: ${mark} is old. Run: node terraform/docs.mjs --write --graphs`);
}

function checkRules() {
  for (const folder of [...roots, ...modules]) {
    for (const { name, description, type } of variablesOf(folder)) {
      if (!description) problems.push(`${folder}: variable ${name} has no description`);
      if (!type || /\bany\b/.test(type)) problems.push(`${folder}: variable ${name} has no type, or any`);
    }
    for (const { name, description } of outputsOf(folder))
      if (!description) problems.push(`${folder}: output ${name} has no description`);
    for (const path of filesOf(folder)) checkFile(path, read(path));
  }
}

function checkFile(path, text) {
  const forbidden = [
    [
      /^resource "(aws_secretsmanager_secret_version|random_password|tls_private_key|aws_iam_access_key)"/m,
      'holds a secret value in the state',
    ],
    [
      /^\s*(password|auth_token|secret_string|secret_binary|master_password|client_secret)\s*=/m,
      'gives a secret value to AWS',
    ],
    [/^check "/m, 'has a check block, which only warns: use a precondition or a postcondition'],
    [
      /^data "aws_iam_policy_document"/m,
      'makes a policy by a data source, which tests with mocks cannot see: use jsonencode',
    ],
    [
      /ForAllValues|StringLike/,
      'has a condition that is true when the key is missing, or that takes patterns',
    ],
    [/checkov:skip=[A-Z0-9_]+\s*$/m, 'skips a check of checkov without a reason'],
  ];
  for (const [pattern, what] of forbidden) if (pattern.test(text)) problems.push(`${path} ${what}`);
  for (const [rule, name] of text.matchAll(
    /^resource "aws_vpc_security_group_ingress_rule" "(\w+)" \{[\s\S]*?^\}/gm,
  ))
    if (/"(0\.0\.0\.0|::)\/0"/.test(rule)) problems.push(`${path}: the rule ${name} is open to the world`);
  if (/^ {2}ingress \{/m.test(text))
    problems.push(`${path} has a rule inside a security group: use a resource of its own`);
  const services = text.match(/^resource "aws_ecs_service"/gm)?.length ?? 0;
  const noticed = text.match(/postcondition \{\n\s+condition\s+= self\.task_definition == /g)?.length ?? 0;
  if (services !== noticed)
    problems.push(`${path} has a service without a postcondition that notices a rollback`);
  const authorizers = text.match(/^resource "aws_apigatewayv2_authorizer"/gm)?.length ?? 0;
  if (authorizers > 0 && !text.includes('precondition'))
    problems.push(`${path} has an authorizer without a precondition`);
  for (const [, source] of text.matchAll(/^\s+source\s+= "([^"]+)"/gm))
    if (!source.startsWith('../modules/') && source !== 'hashicorp/aws')
      problems.push(`${path} takes a module from ${source}`);
}

const write = process.argv.includes('--write');
for (const root of roots) put(join(here, root, 'README.md'), 'tables', tables(root), write);
if (process.argv.includes('--graphs'))
  for (const root of roots)
    put(join(here, '..', 'docs', 'terraform.md'), `graph ${root}`, graph(root), write);
checkRules();
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
