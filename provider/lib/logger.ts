import { type Logger as Pino, pino } from 'pino';
import { redactFields, redactText } from './redaction.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Record<string, unknown>;

/** Writes lines for machines to search: what happened as a fixed text, what varies as fields. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  level: LogLevel;
  /** Takes one line at a time, newline included. Default: standard output. */
  destination?: { write(line: string): void };
}

function wrap(target: Pino): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (target.isLevelEnabled(level)) target[level](redactFields(fields), redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(target.child(redactFields(fields))),
  };
}

/** JSON lines with ISO time and the level as text. Secrets are taken out of fields, texts and errors on the way. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: 'gatehouse' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are serialised before they get here; pino's own serializer would mangle the result.
    serializers: { err: (value: unknown) => value },
  };
  return wrap(pino(options, destination ?? pino.destination({ dest: 1, sync: true })));
}
