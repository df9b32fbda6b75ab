import { CommanderError } from 'commander';
import { ConfigurationError, type ErrorCode, GatehouseError, MigrationRefused } from '../../lib/errors.ts';
import { redactText } from '../../lib/logger.ts';
import { CommandFailure, type Ending } from './command-failure.ts';

export interface Failure {
  ending: Ending;
  code: string;
  /** Empty when the message was already printed. */
  message: string;
  problems?: string[] | undefined;
}

const endings: Partial<Record<ErrorCode, Ending>> = {
  not_found: 'problems',
  validation_failed: 'problems',
  invalid_request: 'problems',
  overloaded: 'unavailable',
  store_unavailable: 'unavailable',
};

/**
 * Returns the message of the error's cause, for example of the database driver. It names the host that can't be
 * reached.
 */
function reason({ cause }: GatehouseError): string {
  if (!(cause instanceof Error)) return '';
  const text = cause.message || String((cause as NodeJS.ErrnoException).code ?? '');
  return text === '' ? '' : ` (${redactText(text)})`;
}

function usage({ code, message }: CommanderError): Failure {
  if (['commander.helpDisplayed', 'commander.version'].includes(code)) {
    return { ending: 'ok', code: '', message: '' };
  }
  if (code === 'commander.help') {
    return { ending: 'usage', code: 'usage', message: 'Name one of the commands that --help lists.' };
  }
  // The message repeats the name of an option, but not its value, because the value may be a password.
  const text = message.replace(/^error: /, '').replace(/(unknown option '[^'=]*)=[^\n]*'/, "$1'");
  const advice = 'Run it with --help to see how it is used.';
  return {
    ending: 'usage',
    code: 'usage',
    message: `${text.replace(/[.\n]*$/, '').replace(/\n/g, ' ')}. ${advice}`,
  };
}

/** Returns the description of an error and the way the program ends after it. The description contains no secrets. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof CommanderError) return usage(error);
  if (error instanceof ConfigurationError) {
    const { problems } = error;
    const [only = ''] = problems;
    if (problems.length === 1) return { ending: 'configuration', code: 'configuration', message: only };
    return {
      ending: 'configuration',
      code: 'configuration',
      message: `${problems.length} problems`,
      problems,
    };
  }
  if (error instanceof MigrationRefused) {
    const { message, problems } = error;
    return { ending: 'problems', code: 'migration_refused', message, problems };
  }
  if (error instanceof GatehouseError) {
    const message = `${error.message}${reason(error)}`;
    return { ending: endings[error.code] ?? 'software', code: error.code, message };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ending: 'software', code: 'internal_error', message: redactText(stack) };
}
