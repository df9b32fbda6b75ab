import { createLogger, type Logger } from '../../lib/logger.ts';

/** For commands that end soon: what fails they tell themselves, and standard output is for their result. */
export function silentLogger(): Logger {
  return createLogger({ level: 'error', destination: { write: () => {} } });
}
