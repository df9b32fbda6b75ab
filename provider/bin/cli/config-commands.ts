import { Option } from 'commander';
import type { Purpose } from '../commands/check-config.ts';
import type { CliCommand } from './cli-command.ts';
import { commandOutput, jsonOption } from './output.ts';

/** `config check|docs`. */
export function addConfigCommands(program: CliCommand): void {
  const config = program
    .command('config')
    .description('Settings, and the files they name.')
    .example('gatehouse config check');

  const purpose = new Option(
    '--for <command>',
    'which command they must do for; unless given serve, when a setting is there that only serve needs, else dev',
  );
  config
    .command('check')
    .description(
      'Check settings, APIs file and clients file; list everything that is wrong. Connects to nothing and reads no secret.',
    )
    .addOption(purpose.choices(['serve', 'dev']))
    .option(...jsonOption)
    .example('gatehouse config check')
    .example('gatehouse config check --for serve --json')
    .action(async (options: { for?: Purpose; json?: boolean }) => {
      const { checkConfig } = await import('../commands/check-config.ts');
      await checkConfig({ purpose: options.for }, commandOutput(options));
    });

  config
    .command('docs')
    .description('Print the reference of all settings, in Markdown.')
    .option(...jsonOption)
    .example('gatehouse config docs > configuration.md')
    .action(async (options: { json?: boolean }) => {
      const { printConfigDocs } = await import('../commands/print-config-docs.ts');
      printConfigDocs(commandOutput(options));
    });
}
