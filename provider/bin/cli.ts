#!/usr/bin/env node
/**
 * The command line. This folder holds programs: it parses arguments, calls the other modules and prints results. Rules
 * about accounts, tokens or clients don't belong here. `cli/` describes the commands, `commands/` runs them.
 */
import '../oidc/runtime-notice.ts';
import { exitCodes } from './cli/command-failure.ts';
import { describeFailure } from './cli/describe-failure.ts';
import { OutputClosed, printable } from './cli/output.ts';
import { createProgram } from './cli/program.ts';

/** Finds `--json` even when the arguments can't be parsed, so that errors are JSON too. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).includes('--json');
}

function fail(error: unknown, json: boolean): never {
  // Other programs behave in the same way when their output is piped to `head`.
  if (error instanceof OutputClosed) process.exit(exitCodes.ok.code);
  const { ending, code, message, problems } = describeFailure(error);
  if (message !== '') {
    const list = (problems ?? []).map((problem) => `\n  - ${problem}`).join('');
    const text = `gatehouse: ${message}${list === '' ? '' : `:${list}`}\n`;
    const document = { error: { code, message, ...(problems ? { problems } : {}) } };
    process.stderr.write(json ? `${JSON.stringify(document)}\n` : printable(text));
  }
  process.exit(exitCodes[ending].code);
}

const args = process.argv.slice(2);
const json = asksForJson(args);

// The reader has closed the pipe. `Output.line` reports this to commands that still write.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error, json);
});

await createProgram({ json })
  .parseAsync(args, { from: 'user' })
  .catch((error) => fail(error, json));
