import { version } from '../../compose/version.ts';
import { addAccountCommands } from './account-commands.ts';
import { CliCommand } from './cli-command.ts';
import { addClientCommands } from './client-commands.ts';
import { addConfigCommands } from './config-commands.ts';
import { addDoctorCommand } from './doctor-command.ts';
import { addEventCommands } from './event-commands.ts';
import { addKeyCommands } from './key-commands.ts';
import { addMailCommands } from './mail-commands.ts';
import { addPasswordCommands } from './password-commands.ts';
import { addServerCommands } from './server-commands.ts';
import { addSessionCommands } from './session-commands.ts';
import { addShellCommands } from './shell-commands.ts';
import { addTokenCommands } from './token-commands.ts';

export interface ProgramOptions {
  /** Whether only JSON may be written, also to standard error. */
  json: boolean;
}

/** Creates the tree of all commands. Parsing throws commander's errors and never ends the process. */
export function createProgram({ json }: ProgramOptions = { json: false }): CliCommand {
  const program = new CliCommand('gatehouse')
    .description('An OpenID Connect provider for teams on AWS.')
    .version(version, '-V, --version', 'print the release')
    .helpOption('-h, --help', 'print what there is')
    .example('gatehouse dev')
    .example('gatehouse accounts list --json')
    .showSuggestionAfterError()
    .exitOverride()
    // The caller that catches parsing errors prints them in the requested format.
    .configureOutput({ outputError: () => {}, ...(json ? { writeErr: () => {} } : {}) });
  addServerCommands(program);
  addConfigCommands(program);
  addAccountCommands(program);
  addSessionCommands(program);
  addTokenCommands(program);
  addPasswordCommands(program);
  addClientCommands(program);
  addKeyCommands(program);
  addEventCommands(program);
  addMailCommands(program);
  addDoctorCommand(program);
  addShellCommands(program);
  return program;
}
