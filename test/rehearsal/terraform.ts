/**
 * `terraform` of the rehearsal: the real Terraform, but with a mocked provider, because no AWS can be reached. A run of
 * `terraform test` plans and applies the root as it is, with its variables, preconditions and provisioners. What comes out
 * is then made in the emulators, resource by resource, where they know it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeEdge, removeEdge } from './apply-edge.ts';
import { administratorSecret, makePlatform, removePlatform } from './apply-platform.ts';
import { forgetApplied, managed, readApplied, saveApplied, type TerraformState } from './state.ts';

const real = process.env.REAL_TERRAFORM ?? 'terraform';
const [chdir = '', action = '', ...options] = process.argv.slice(2);
const folder = chdir.replace(/^-chdir=/, '');
const root = basename(folder);
const say = (text: string) => process.stdout.write(`${text}\n`);
const option = (name: string) =>
  options.find((one) => one.startsWith(`-${name}=`))?.slice(name.length + 2) ?? '';

function refuse(message: string): never {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

/** The mocks of the root's own tests, with the addresses of the emulators in place of AWS's. */
function mocks(): string {
  const tests = readFileSync(join(folder, 'tests', `${root}.tftest.hcl`), 'utf8');
  const own = tests.slice(0, tests.indexOf('\nvariables {'));
  if (root === 'edge')
    return own.replace(/insecure_value = .*/, `insecure_value = ${JSON.stringify(handover())}`);
  const listener = 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/gatehouse/1/2';
  return own
    .replace(
      /address = "[^"]*"/,
      `address = "postgres.emulators", master_user_secret = [{ secret_arn = "${administratorSecret}" }]`,
    )
    .replace(/primary_endpoint_address = "[^"]*"/, 'primary_endpoint_address = "redis.emulators"')
    .replace('{', `{\n  mock_resource "aws_lb_listener" {\n    defaults = { arn = "${listener}" }\n  }`);
}

/** Runs a program, and gives what it prints. Ends with its complaint if it fails. */
function must(program: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) refuse(`${program} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

/** What `platform` hands over to `edge`, from the parameter that it made. */
const handover = (): string => {
  const read = ['ssm', 'get-parameter', '--name', '/gatehouse/platform/edge'];
  return must('aws', [...read, '--query', 'Parameter.Value', '--output', 'text']).trim();
};

interface Message {
  type: string;
  test_state?: TerraformState;
  test_plan?: { resource_changes?: { mode: string; change: { actions: string[] } }[] };
  diagnostic?: { severity: string; summary: string; detail: string };
  test_summary?: { status: string };
}

/** Plans or applies the root with the mocked provider. Ends with Terraform's messages if that fails. */
function runRoot(command: 'plan' | 'apply'): Message[] {
  const target = option('target');
  const only = target === '' ? '' : `  plan_options {\n    target = [${target}]\n  }\n`;
  mkdirSync(join(folder, 'rehearsal'), { recursive: true });
  const file = join(folder, 'rehearsal', 'rehearsal.tftest.hcl');
  writeFileSync(file, `${mocks()}\nrun "rehearsal" {\n  command = ${command}\n${only}}\n`);
  prepare();
  const args = [`-chdir=${folder}`, 'test', '-json', '-verbose', '-test-directory=rehearsal'];
  const variables = options.filter((one) => one.startsWith('-var='));
  const { stdout } = spawnSync(real, [...args, ...variables], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const messages = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Message);
  for (const { diagnostic } of messages)
    if (diagnostic?.severity === 'error') say(`Error: ${diagnostic.summary}\n${diagnostic.detail}`);
  if (messages.at(-1)?.test_summary?.status !== 'pass') refuse(`Terraform could not ${command} ${root}.`);
  return messages;
}

/** Gets the modules, and the provider if it is not a stand-in that needs no installation. */
function prepare(): void {
  const configuration = process.env.TF_CLI_CONFIG_FILE ?? '';
  const standIn = existsSync(configuration) && readFileSync(configuration, 'utf8').includes('dev_overrides');
  const how = standIn ? ['get'] : ['init', '-backend=false', '-input=false'];
  must(real, [`-chdir=${folder}`, ...how, '-test-directory=rehearsal']);
}

function init(): void {
  const backend = readFileSync(join(folder, option('backend-config')), 'utf8');
  const [, bucket = ''] = /bucket = "([^"]+)"/.exec(backend) ?? [];
  must('aws', ['s3api', 'head-bucket', '--bucket', bucket]);
  prepare();
  must(real, [`-chdir=${folder}`, 'validate', '-no-color', '-no-tests']);
  say('Terraform has been successfully initialized!');
}

function plan(): void {
  const changes = runRoot('plan').find(({ test_plan }) => test_plan)?.test_plan?.resource_changes ?? [];
  const added = changes.filter(({ mode, change }) => mode === 'managed' && change.actions.includes('create'));
  writeFileSync(join(folder, option('out')), digestOfVariables());
  say(`Plan: ${added.length} to add, 0 to change, 0 to destroy.`);
}

const digestOfVariables = () =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'terraform.tfvars')))
    .digest('hex');

async function apply(): Promise<void> {
  const planned = options.find((one) => !one.startsWith('-'));
  if (planned !== undefined && readFileSync(join(folder, planned), 'utf8') !== digestOfVariables())
    refuse('Saved plan is stale');
  const state = runRoot('apply').find(({ test_state }) => test_state)?.test_state ?? {};
  const before = readApplied(root);
  const known = new Set(before.resources.map(({ address }) => address));
  const applied = { ...before, resources: managed(state), outputs: {} as Record<string, unknown> };
  for (const [name, { value }] of Object.entries(state.outputs ?? {})) applied.outputs[name] = value;
  const added = applied.resources.filter(({ address }) => !known.has(address));
  if (root === 'platform') await makePlatform(added);
  else await makeEdge(applied, (JSON.parse(handover()) as { listener_arn: string }).listener_arn);
  saveApplied(root, applied);
  say(`Apply complete! Resources: ${added.length} added, 0 changed, 0 destroyed.`);
}

function output(): void {
  const name = options.at(-1) ?? '';
  const { outputs } = readApplied(root);
  if (!(name in outputs)) refuse(`Output "${name}" not found`);
  process.stdout.write(options.includes('-raw') ? String(outputs[name]) : JSON.stringify(outputs[name]));
}

async function destroy(): Promise<void> {
  const applied = readApplied(root);
  if (root === 'platform') await removePlatform(applied.resources);
  else await removeEdge(applied);
  forgetApplied(root);
  say(`Destroy complete! Resources: ${applied.resources.length} destroyed.`);
}

const actions: Record<string, () => void | Promise<void>> = { init, plan, apply, output, destroy };
const act = actions[action];
if (!act || !/^-chdir=.*\b(platform|edge)$/.test(chdir))
  refuse(`The rehearsal knows no 'terraform ${action}'.`);
await act();
