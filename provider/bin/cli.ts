#!/usr/bin/env node
import '../oidc/runtime-notice.ts';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { ConfigurationError, GatehouseError } from '../lib/errors.ts';
import type { Running } from './start.ts';
import { version } from './version.ts';

/** sysexits.h: EX_CONFIG, EX_UNAVAILABLE, EX_SOFTWARE. */
const exitCodes = { configuration: 78, unavailable: 69, software: 70 };

const write = (text: string) => void process.stdout.write(text);

/** Runs until SIGINT or SIGTERM, then stops in order; a second signal doesn't wait. */
async function untilStopped(starting: Promise<Running>): Promise<void> {
  const running = await starting;
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void running.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function fail(error: unknown): never {
  if (error instanceof ConfigurationError) {
    const list = error.problems.map((problem) => `  - ${problem}\n`).join('');
    process.stderr.write(`gatehouse can't start:\n${list}`);
    process.exit(exitCodes.configuration);
  }
  if (error instanceof GatehouseError) {
    process.stderr.write(`gatehouse: ${error.message}\n`);
    process.exit(exitCodes.unavailable);
  }
  const text = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`gatehouse: ${text}\n`);
  process.exit(exitCodes.software);
}

const program = new Command('gatehouse')
  .description('An OpenID Connect provider for teams on AWS.')
  .version(version, '-V, --version')
  .showHelpAfterError();

program
  .command('dev')
  .description('Start on this machine with demo data; needs nothing but Node.')
  .action(async () => untilStopped(import('./dev.ts').then(({ dev }) => dev(write))));

program
  .command('serve')
  .description('Start on Postgres and Redis. Settings come from GATEHOUSE_* variables.')
  .action(async () => untilStopped(import('./serve.ts').then(({ serve }) => serve())));

program
  .command('migrate')
  .description('Bring the database schema up to this release.')
  .action(async () => (await import('./migrate.ts')).migrate(write));

const accounts = program.command('accounts').description('People who can sign in.');
accounts
  .command('create')
  .description('Create an account; the password comes by standard input.')
  .requiredOption('--email <address>')
  .option('--role <name...>', 'roles, as GATEHOUSE_APIS_FILE defines them', [])
  .option('--verified', 'the address is known to be theirs', false)
  .addHelpText(
    'after',
    '\nExample:\n  gatehouse accounts create --email ann@example.com --role CLIENT < password.txt',
  )
  .action(async (options: { email: string; role: string[]; verified: boolean }) => {
    const { createAccount } = await import('./create-account.ts');
    const password = (await text(process.stdin)).replace(/\r?\n$/, '');
    const { email, role: roles, verified } = options;
    write(`${await createAccount({ email, roles, verified, password })}\n`);
  });

await program.parseAsync().catch(fail);
