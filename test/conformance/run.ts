/**
 * Runs the plans of plans.yaml in the OpenID conformance suite against Gatehouse, and compares the results with
 * expected.yaml. The suite must listen at the address in SUITE_ADDRESS; run.sh starts it and then this program. Arguments
 * select plans by name and modules by `module=NAME`.
 */
import { spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startTlsFront } from '../support/tls-front.ts';
import { waitFor } from '../support/wait-for.ts';
import { readConformanceFiles } from './files.ts';
import { createSuite, forwarded } from './suite.ts';
import { expectedFor, problemOf } from './verdict.ts';

const suiteAddress = process.env.SUITE_ADDRESS ?? 'http://127.0.0.1:8080';
const reports = 'artifacts/conformance';
const print = (line: string) => void process.stdout.write(`${line}\n`);
const program = ['--import', 'tsx', 'provider/bin/cli.ts'];

const { plans, expected, settings, clientsFile } = await readConformanceFiles();
const chosen = process.argv.slice(2);
const moduleNames = chosen.flatMap((one) => (one.startsWith('module=') ? [one.slice('module='.length)] : []));
const planNames = chosen.filter((one) => !one.startsWith('module='));

await mkdir(reports, { recursive: true });
await rm(join(reports, 'gatehouse.log'), { force: true });
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'));
/** What Node negotiates. The suite checks how Gatehouse called it. */
const tls = { 'x-ssl-protocol': 'TLSv1.3', 'x-ssl-cipher': 'TLS_AES_256_GCM_SHA384' };
const suiteFront = await startTlsFront({ port: 8443, headers: Object.assign({}, forwarded, tls) });
const { certificate } = suiteFront;
const front = await startTlsFront({ port: 9443, certificate });
suiteFront.passTo(suiteAddress);
front.passTo(`http://127.0.0.1:${settings.GATEHOUSE_PORT}`);

/** A line of an import: an account with every claim of OpenID Connect Core §5.1 that Gatehouse has. */
function account(email: string, password: string): string {
  const salt = randomBytes(16);
  const hash = pbkdf2Sync(password, salt, 100_000, 32, 'sha256');
  const metadata = {
    name: 'Conny Formance',
    given_name: 'Conny',
    family_name: 'Formance',
    middle_name: 'O.',
    nickname: 'conny',
    preferred_username: 'conny',
    profile: 'https://conformance.example.com/conny',
    picture: 'https://conformance.example.com/conny.png',
    website: 'https://conformance.example.com',
    gender: 'unknown',
    birthdate: '1990-01-31',
    zoneinfo: 'Europe/Berlin',
    locale: 'en',
  };
  const passwordHash = `$pbkdf2-sha256$i=100000$${salt.toString('base64url')}$${hash.toString('base64url')}`;
  return `${JSON.stringify({ email, emailVerified: true, passwordHash, metadata })}\n`;
}

const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_'));
const env = Object.assign(Object.fromEntries(own), settings, {
  GATEHOUSE_CLIENTS_FILE: resolve(clientsFile),
  GATEHOUSE_DATA_FOLDER: join(folder, 'data'),
  // The suite receives logout tokens by https, with a certificate that this program has just made.
  NODE_EXTRA_CA_CERTS: await file('certificate.pem', certificate.cert),
});

/** Starts Gatehouse and waits until it is ready. @returns what ends it */
async function start(): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [...program, 'dev'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.pipe(createWriteStream(join(reports, 'gatehouse.log'), { flags: 'a' }));
  const ended = once(child, 'close');
  const stop = async () => {
    child.kill();
    await ended;
  };
  const isUp = async () => (await fetch(`http://127.0.0.1:${settings.GATEHOUSE_OPS_PORT}/readyz`)).ok;
  const ready = waitFor(isUp, { timeoutMs: 180_000, intervalMs: 200, what: 'Gatehouse to be ready' });
  await ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return stop;
}

/** The person that the steps of the browser sign in: address and password. */
function personOf(): string[] {
  const commands = plans.config.browser.flatMap(({ tasks }) => tasks.flatMap((task) => task.commands ?? []));
  return commands.filter(([action]) => action === 'text').map(([, , , value]) => String(value));
}

// The first start makes the database. While Gatehouse runs, no other process can open it.
await (await start())();
const [email = '', password = ''] = personOf();
const accounts = await file('accounts.jsonl', account(email, password));
const importing = spawn(process.execPath, [...program, 'accounts', 'import', accounts], {
  env,
  stdio: 'inherit',
});
const [imported] = await once(importing, 'close');
if (imported !== 0) throw new Error('the account could not be imported');

/** The configuration of a plan. A client that registers itself has only a name. */
function configFor(variant: Record<string, string>): object {
  if (variant.client_registration !== 'dynamic_client') return plans.config;
  const { client_secret_post: _, client, client2, ...config } = plans.config;
  const nameOf = ({ client_name }: typeof client) => ({ client_name });
  return { ...config, client: nameOf(client), client2: nameOf(client2) };
}

let problems = 0;
const stop = await start();
try {
  const suite = createSuite(suiteAddress);
  await suite.ready();
  for (const { name, plan, variant } of plans.plans) {
    if (planNames.length > 0 && !planNames.includes(name)) continue;
    const { id, modules } = await suite.createPlan(plan, variant, configFor(variant));
    print(`\n${name} (${plan}), ${modules.length} modules`);
    for (const module of modules) {
      const { testModule } = module;
      if (moduleNames.length > 0 && !moduleNames.includes(testModule)) continue;
      const allowed = expectedFor(expected, name, testModule);
      for (const attempt of [1, 2]) {
        const found = await suite.run(id, module);
        const problem = problemOf(found, allowed);
        const note = problem === undefined ? '' : `  <-- ${problem}`;
        print(`  ${found.result.padEnd(11)} ${testModule} ${found.id}${note}`);
        if (problem === undefined) break;
        // The browser of the suite sometimes opens the page of the module before. A real fault comes again.
        if (attempt === 2) problems += 1;
      }
    }
    await suite.report(id, join(reports, `${name.replace(/\W+/g, '-')}.zip`));
  }
} finally {
  await stop();
  await Promise.all([front.stop(), suiteFront.stop()]);
  await rm(folder, { recursive: true, force: true });
}
print(problems === 0 ? '\nAll results are as expected.' : `\n${problems} results are not as expected.`);
process.exitCode = problems === 0 ? 0 : 1;
