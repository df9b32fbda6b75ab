import { once } from 'node:events';
import type { Running } from '../start.ts';
import { withSmallYoungGeneration } from '../young-generation.ts';
import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/**
 * Runs until SIGINT or SIGTERM, which may arrive during the start, and then stops in order. A second signal stops the
 * process without waiting.
 * @param begin starts the server. If its signal is aborted before the start is complete, it closes everything again and
 *   rejects
 */
async function untilStopped(begin: (stopping: AbortSignal) => Promise<Running>): Promise<void> {
  const asked = new AbortController();
  const stop = () => {
    if (asked.signal.aborted) process.exit(1);
    asked.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const running = await withSmallYoungGeneration(() => begin(asked.signal)).catch((error: unknown) => {
    // A person who stops the start doesn't need to know the error that the start ended with.
    if (!asked.signal.aborted) throw error;
  });
  if (!asked.signal.aborted) await once(asked.signal, 'abort');
  await running?.stop();
  process.exit(0);
}

/** `dev`, `serve`, `worker`, `operator`, `migrate`. */
export function addServerCommands(program: CliCommand): void {
  program
    .command('dev')
    .description('Start on this machine with demo data; needs nothing but Node.')
    .option('--json', 'leave the banner out: nothing but the log, in JSON lines')
    .example('gatehouse dev')
    .action(async (options: { json?: boolean }) => {
      await untilStopped(async (stopping) => {
        const { dev } = await import('../dev.ts');
        return dev((text) => commandOutput(options).note(text), stopping);
      });
    });

  program
    .command('serve')
    .description('Start on Postgres and Redis. Settings come from GATEHOUSE_* variables.')
    .option('--json', 'the log is JSON lines anyway; with this what stops a start is JSON too')
    .example('GATEHOUSE_ISSUER=https://id.example.com gatehouse serve')
    .action(async () => {
      await untilStopped(async (stopping) => {
        const { serve } = await import('../serve.ts');
        return serve(stopping);
      });
    });

  program
    .command('worker')
    .description(
      'Publish events and delete expired rows, without answering requests. Needs the database and the sink of events. Any number may run: one works, another takes over when it ends. Servers do the same unless GATEHOUSE_JOBS=worker.',
    )
    .option('--json', 'the log is JSON lines anyway; with this what stops a start is JSON too')
    .example('GATEHOUSE_DATABASE_URL=postgres://… gatehouse worker')
    .action(async () => {
      await untilStopped(async (stopping) => {
        const { worker } = await import('../worker.ts');
        return worker(stopping);
      });
    });

  program
    .command('operator')
    .description(
      'Make clients of the OIDCClient resources in a Kubernetes cluster. Needs the database and the Kubernetes API. Any number may run: one works, another takes over when it ends.',
    )
    .option('--json', 'the log is JSON lines anyway; with this what stops a start is JSON too')
    .example('GATEHOUSE_ISSUER=https://id.example.com GATEHOUSE_DATABASE_URL=postgres://… gatehouse operator')
    .action(async () => {
      await untilStopped(async (stopping) => {
        const { operator } = await import('../operator.ts');
        return operator(stopping);
      });
    });

  program
    .command('migrate')
    .description(
      'Bring the database schema up to this release. Any number may run at once. If the data does not allow it yet, list what you must decide, and change nothing.',
    )
    .option(...jsonOption)
    .example('GATEHOUSE_DATABASE_URL=postgres://… gatehouse migrate')
    .action(async (options: { json?: boolean }) => {
      const { migrateSchema } = await import('../commands/migrate-schema.ts');
      await migrateSchema(commandOutput(options));
    });
}
