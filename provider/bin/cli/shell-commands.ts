import { Argument } from 'commander';
import { version } from '../../compose/version.ts';
import type { CliCommand } from './cli-command.ts';
import { completionScript, type Shell, shells } from './completion.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `version`, `completion`. */
export function addShellCommands(program: CliCommand): void {
  program
    .command('version')
    .description('Print the release of Gatehouse and of the Node that runs it.')
    .option(...jsonOption)
    .example('gatehouse version --json')
    .action((options: { json?: boolean }) => {
      const node = process.versions.node;
      commandOutput(options).result({ version, node }, `gatehouse ${version} (Node ${node})`);
    });

  program
    .command('completion')
    .description('Print a script that lets the shell complete commands and options.')
    .addArgument(new Argument('<shell>', 'bash or zsh').choices(shells))
    .option(...jsonOption)
    .example('source <(gatehouse completion bash)')
    .example('source <(gatehouse completion zsh)')
    .action((shell: Shell, options: { json?: boolean }) => {
      const script = completionScript(shell, program);
      commandOutput(options).result({ shell, script }, script);
    });
}
