import { createLogger, type Logger } from '../../lib/logger.ts';

/** For short commands: they report failures themselves, and standard output is for their result only. */
export function silentLogger(): Logger {
  return createLogger({ level: 'error', destination: { write: () => {} } });
}
