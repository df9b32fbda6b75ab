import { createLogger, type Logger } from '../../lib/logger.ts';

/** A logger for short commands. They report failures themselves, and standard output is only for their result. */
export function silentLogger(): Logger {
  return createLogger({ level: 'error', destination: { write: () => {} } });
}
