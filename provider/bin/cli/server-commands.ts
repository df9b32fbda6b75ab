import type { Running } from '../start.ts';
import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './command-output.ts';

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

/** `dev`, `serve`, `migrate`. */
export function addServerCommands(program: CliCommand): void {
  program
    .command('dev')
    .description('Start on this machine with demo data; needs nothing but Node.')
    .option('--json', 'leave the banner out: nothing but the log, in JSON lines')
    .example('gatehouse dev')
    .action(async (options: { json?: boolean }) => {
      const { dev } = await import('../dev.ts');
      await untilStopped(dev((text) => commandOutput(options).note(text)));
    });

  program
    .command('serve')
    .description('Start on Postgres and Redis. Settings come from GATEHOUSE_* variables.')
    .option('--json', 'the log is JSON lines anyway; with this what stops a start is JSON too')
    .example('GATEHOUSE_ISSUER=https://id.example.com gatehouse serve')
    .action(async () => {
      const { serve } = await import('../serve.ts');
      await untilStopped(serve());
    });

  program
    .command('migrate')
    .description('Bring the database schema up to this release. Any number may run at once.')
    .option(...jsonOption)
    .example('GATEHOUSE_DATABASE_URL=postgres://… gatehouse migrate')
    .action(async (options: { json?: boolean }) => {
      const { migrateSchema } = await import('../commands/migrate-schema.ts');
      await migrateSchema(commandOutput(options));
    });
}
