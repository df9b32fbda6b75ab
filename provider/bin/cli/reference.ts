import type { Argument, Option } from 'commander';
import type { CliCommand } from './cli-command.ts';
import { exitCodes } from './command-failure.ts';
import { createProgram } from './program.ts';

const introduction = `# The command line

This page is generated from the commands themselves by \`npm run generate\`; \`--help\` behind any of them shows the same.

- \`gatehouse\` stands for \`node build/provider/bin/cli.js\` after \`make build\`; in the container image it is on the path.
- Settings come from \`GATEHOUSE_*\` variables, see [\`configuration.md\`](configuration.md). Without \`GATEHOUSE_DATABASE_URL\`
  the commands work on the embedded database in the data folder, which one process at a time can open: stop
  \`gatehouse dev\` first. \`serve\` and \`migrate\` want a real database.
- With \`--json\` a command prints one JSON document, or JSON lines where it says so; what goes wrong is then
  \`{ "error": { "code", "message" } }\` on standard error, with \`problems\` where there may be several. Fields may be
  added; none is renamed.
- Passwords are never arguments, which others can see in the process list: they are asked for on a terminal, and read
  from standard input elsewhere. No command prints a password, a secret or a private key, except the client secrets that
  \`clients\` has just generated; \`accounts export\` writes password hashes, which is its purpose.
- An account is named by its address or its id. A change of it is written with its event (\`actor\`:
  \`operator\`), in one transaction. What import and export read and write: [\`import.md\`](import.md).
- \`sessions\` looks where the servers keep what people are signed in by, so it wants their \`GATEHOUSE_REDIS_URL\` and
  \`GATEHOUSE_SERVER_SECRETS\` too. Signing keys and clients it leaves alone.
`;

const cell = (text: string) => text.replaceAll('|', '\\|');

function exitCodeTable(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ['## Exit codes', '', '| code | meaning |', '|---|---|', ...rows, ''].join('\n');
}

function optionText({ flags, description, defaultValue, argChoices }: Option): string {
  const choices = argChoices ? `; one of ${argChoices.join(', ')}` : '';
  const shown = typeof defaultValue === 'number' ? `; ${defaultValue} unless given` : '';
  return `| \`${cell(flags)}\` | ${cell(description)}${choices}${shown} |`;
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return `| \`${argument.required ? `<${name}>` : `[${name}]`}\` | ${cell(argument.description)} |`;
}

function section(command: CliCommand): string {
  const options = command.createHelp().visibleOptions(command);
  const rows = [
    ...command.registeredArguments.map(argumentText),
    ...options.filter(({ long }) => long !== '--help').map(optionText),
  ];
  return [
    `## \`${command.path}\``,
    '',
    command.description(),
    '',
    ...(rows.length > 0 ? ['| | |', '|---|---|', ...rows, ''] : []),
    ...['```sh', ...command.examples, '```', ''],
  ].join('\n');
}

function leaves(command: CliCommand): CliCommand[] {
  return command.children.length === 0 ? [command] : command.children.flatMap(leaves);
}

/** Renders the reference of all commands, in Markdown. */
export function renderCommandReference(): string {
  return [introduction, exitCodeTable(), ...leaves(createProgram()).map(section)].join('\n');
}
