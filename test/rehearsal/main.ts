/**
 * `make deploy-rehearsal`: types the commands of docs/deploy.md, one after the other, against emulators of AWS, and ends with a
 * sign-in through API Gateway and a protected call. README.md in this folder says what plays what. `run.sh` starts it.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, run, say, step } from '../cluster/tools.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { prepareDatabase, sql, startInCluster, startWaysIn, type WaysIn } from './emulators.ts';
import { type Commands, deploymentSteps, missingLine, type PageStep } from './page.ts';
import { type Shell, startShell } from './shell.ts';
import { readApplied } from './state.ts';

const folder = process.env.REHEARSAL_FOLDER ?? '';
const checkout = join(folder, 'checkout');
const issuer = 'https://id.example.com';
const api = 'https://api.example.com';
const began = performance.now();

/** No block of the page is left out for these, but the emulators do not show them either. */
const alsoLeftOut = [
  'The AWS provider of Terraform: a stand-in or mocks know its schema. Names, quotas and rights are not checked (docs/terraform.md).',
  'Sign-in by IAM to Postgres and Valkey, and TLS to both: a password in Secrets Manager takes its place. test/flows/iam-tokens.test.ts shows IAM.',
  'Pod Identity: the pods have keys for moto in their environment. moto checks no rights.',
  'The VPC link, security groups and network policies: nothing here refuses a connection.',
  'TargetGroupBinding, health checks and deregistration of the load balancer: a NodePort leads to the pods.',
  'What AWS checks when an authorizer is made, throttling, access logs and CORS of API Gateway.',
  '`gatehouse doctor` inside a pod: it needs TLS and the public name. `helm test` looks from inside, and the doctor through the load balancer.',
  'Certificates of a public authority and the public DNS: three certificates of an own authority, and a file of host names.',
];

interface Rehearsal {
  shell: Shell;
  ways: WaysIn;
}

const lines = (names: string) =>
  writeFileSync('/etc/hosts', `${readFileSync(join(folder, 'hosts.before'), 'utf8')}\n${names}`);

/** Signs a person in on the pages of the issuer, and gives the code that the app gets. */
async function codeFor(address: string): Promise<string> {
  const password = readFileSync(join(checkout, 'password.txt'), 'utf8').trim();
  const call: typeof fetch = (url, init) =>
    fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(30_000), ...init });
  const signIn = async () => {
    const agent = createUserAgent({ issuer, fetch: call });
    return signInAndAgree(agent, await agent.get(address), { email: 'ann@example.com', password });
  };
  // Each server knows a new client within two seconds. A person would need longer than this to open the address.
  const end = await waitFor(signIn, { timeoutMs: 20_000, intervalMs: 500, what: 'the sign-in' });
  const code = new URL(end).searchParams.get('code');
  expect(code, `the sign-in ended at ${end}, without a code`);
  return code;
}

/** In place of IAM: both users get passwords, which the pods read from Secrets Manager. */
async function passwordsInPlaceOfIam(): Promise<void> {
  const [servers, owner] = [randomBytes(18).toString('hex'), randomBytes(18).toString('hex')];
  await sql(`ALTER ROLE gatehouse PASSWORD '${servers}'; ALTER ROLE gatehouse_owner PASSWORD '${owner}';`);
  const value = JSON.stringify({ servers, owner });
  const create = ['secretsmanager', 'create-secret', '--name', 'gatehouse/rehearsal'];
  await run('aws', [...create, '--secret-string', value]);
}

/** The doctor reads the issuer through the load balancer, under the issuer's name. */
async function doctorThroughTheLoadBalancer({ shell, ways }: Rehearsal): Promise<void> {
  ways.leadIssuerTo('balancer');
  const report = await shell.run(`gatehouse doctor --issuer ${issuer}`);
  say(indented(`${report.trim().split('\n').at(-1)} (through the load balancer)`));
  ways.leadIssuerTo('gateway');
}

/** No route is open that the plan protects, and a caller cannot give itself an identity. */
async function identityComesFromTheToken(): Promise<void> {
  const { access_token: token } = JSON.parse(readFileSync(join(checkout, 'tokens.json'), 'utf8')) as {
    access_token: string;
  };
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sub: string;
  };
  const forged = { 'x-caller-subject': 'forged', 'x-caller-roles': 'ADMIN' };
  const answer = await fetch(`${api}/v1/contracts`, {
    headers: { authorization: `Bearer ${token}`, ...forged },
  });
  const seen = await answer.text();
  const right = JSON.stringify({ subject: sub, client: 'portal', roles: '' });
  expect(seen === right, `the service saw the caller as ${seen}, not as ${right}`);
  const routes = Object.entries(readApplied('edge').outputs.api_routes as Record<string, string[]>);
  for (const [route, scopes] of routes.filter(([, wanted]) => wanted.length > 0)) {
    const [method = '', path = ''] = route.split(' ');
    const { status } = await fetch(`${api}${path}`, { method });
    expect(status === 401, `${route} needs ${scopes.join()} and answers ${status} without a token`);
  }
  say(indented(`the service saw ${seen}`));
}

/** The worker has published the events of the first sign-in. */
async function eventsArrived(): Promise<void> {
  const count = ['events', 'describe-archive', '--archive-name', 'gatehouse', '--query', 'EventCount'];
  const events = await waitFor(
    async () => {
      const { stdout } = await run('aws', count);
      return Number(stdout) >= 2 ? Number(stdout) : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 1000, what: 'events in the archive of the bus' },
  );
  say(indented(`${events} events in the archive of the bus`));
}

/** A pod that ended and started again is not wrong in Kubernetes, but nothing here should end one. */
async function nothingRestarted(): Promise<void> {
  const { stdout } = await run('kubectl', ['--namespace', 'gatehouse', 'get', 'pods', '--output', 'json']);
  const { items } = JSON.parse(stdout) as {
    items: { metadata: { name: string }; status: { containerStatuses?: { restartCount: number }[] } }[];
  };
  for (const { metadata, status } of items) {
    if (!status.containerStatuses?.some(({ restartCount }) => restartCount > 0)) continue;
    const logs = ['--namespace', 'gatehouse', 'logs', metadata.name, '--previous', '--tail=20'];
    say(
      indented(`${metadata.name} was restarted:\n${(await run('kubectl', logs, { check: false })).stdout}`),
    );
  }
}

/** The work of the rehearsal beside the page, by the number of a step. */
const before: Record<number, (rehearsal: Rehearsal) => Promise<void>> = { 9: prepareDatabase };
const after: Record<number, (rehearsal: Rehearsal) => Promise<void>> = {
  9: passwordsInPlaceOfIam,
  10: nothingRestarted,
  11: doctorThroughTheLoadBalancer,
  13: async () => {
    await identityComesFromTheToken();
    await eventsArrived();
  },
};

/** The first words of commands, to tell them apart. */
const beginningOf = (commands: string) => `\`${commands.replaceAll(/\s+/g, ' ').slice(0, 48).trim()}…\``;

const indented = (text: string) => text.trimEnd().replaceAll(/^/gm, '   ');

async function type(commands: Commands, rehearsal: Rehearsal, shown: string): Promise<string> {
  // The person at the browser: signs in at the address that the commands before have printed.
  const input = commands.text.includes('read -r -p') ? await codeFor(shown.trim()) : '';
  const output = await rehearsal.shell.run(commands.text, `${input}\n`);
  if (process.env.REHEARSAL_OUTPUT === 'true') say(indented(`$ ${commands.text}${output}`));
  const missing = commands.prints === undefined ? undefined : missingLine(commands.prints, output);
  expect(
    missing === undefined,
    `The page says that this prints the line '${missing}':\n\n${commands.text}\nIt printed:\n\n${output}`,
  );
  return output;
}

/** Does one step of the page. Gives how many blocks it ran, and what it left out. */
async function follow(page: PageStep, number: number, rehearsal: Rehearsal) {
  await before[number]?.(rehearsal);
  let shown = '';
  for (const commands of page.commands)
    if (commands.leftOut === undefined) shown = await type(commands, rehearsal, shown);
  await after[number]?.(rehearsal);
  const left = page.commands.flatMap(({ leftOut, text }) =>
    leftOut === undefined ? [] : [`${page.title}: ${beginningOf(text)}: ${leftOut}`],
  );
  const ran = page.commands.length - left.length;
  say(indented(`${ran} blocks of commands run, ${left.length} left out`));
  return { ran, left };
}

/** Removes what the rehearsal put into the cluster. The cluster may be in use for other work. */
async function cleanUp(): Promise<void> {
  const gone = ['delete', 'namespace', 'gatehouse', 'emulators', '--ignore-not-found', '--wait=false'];
  await run('kubectl', gone, { check: false });
  await run('kubectl', ['--namespace', 'default', 'delete', 'pod', 'psql', '--ignore-not-found'], {
    check: false,
  });
}

async function main(): Promise<void> {
  const taken = await run('kubectl', ['get', 'namespace', 'gatehouse', 'emulators'], { check: false });
  expect(taken.stdout === '', `The cluster has a namespace of the rehearsal already:\n${taken.stdout}`);
  let rehearsal: Rehearsal | undefined;
  const passed: string[] = [];
  const leftOut: string[] = [];
  try {
    const ways = await step('The emulators: Postgres, Redis, moto, ministack, nginx', async () => {
      await startInCluster();
      return startWaysIn(folder, lines);
    });
    ways.leadIssuerTo('gateway');
    const env = { ...process.env, MINISTACK_URL: ways.gatewayUrl, LOAD_BALANCER_URL: ways.balancerUrl };
    const shell = startShell(folder, checkout, env);
    rehearsal = { ways, shell };
    // The command that runs ends, so the rehearsal fails there, and cleans up.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, shell.stop);
    for (const [index, page] of deploymentSteps().entries()) {
      if (page.commands.length === 0) continue;
      const current = rehearsal;
      const { ran, left } = await step(`docs/deploy.md: ${page.title}`, () =>
        follow(page, index + 1, current),
      );
      leftOut.push(...left);
      if (ran > 0) passed.push(`${page.title} (${ran} blocks of commands)`);
    }
  } catch (error) {
    say(`\nFAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    for (const what of [
      ['get', 'pods', '--all-namespaces'],
      ['--namespace', 'gatehouse', 'get', 'events', '--sort-by=.lastTimestamp'],
      [
        ...['--namespace', 'gatehouse', 'logs', '-l', 'app.kubernetes.io/instance=gatehouse'],
        ...['--all-containers', '--tail=20', '--prefix'],
      ],
    ])
      say((await run('kubectl', what, { check: false })).stdout.slice(-6000));
    process.exitCode = 1;
  } finally {
    rehearsal?.shell.stop();
    await rehearsal?.ways.stop();
    await cleanUp();
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  say(`\nSummary of the rehearsal of docs/deploy.md, ${seconds} seconds`);
  for (const title of passed) say(`passed: ${title}`);
  for (const left of [...leftOut, ...alsoLeftOut]) say(`LEFT OUT: ${left}`);
  say(
    process.exitCode === 1
      ? 'The rehearsal FAILED.'
      : `All ${passed.length} steps that emulators can show passed.`,
  );
}

await main();
