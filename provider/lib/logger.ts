import { type Logger as Pino, pino } from 'pino';
import { redactFields, redactText } from './redaction.ts';
import { currentRequestScope } from './request-scope.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Record<string, unknown>;

/**
 * Writes log lines that are easy to search: each has a fixed text for the event, and fields for the variable data.
 * Within a request the logger adds the request's id to each line, and the ids of client and account when known.
 *
 * `error`: a person must act now. `warn`: look at it in working hours. `info`: what happened. `debug`: details
 * for fault analysis. `docs/operate.md` lists every text and what to do.
 */
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

/** The fields of the current request. Fields that the caller gives take precedence. */
function scopeFields(): LogFields {
  const { requestId, clientId, accountId, traceId } = currentRequestScope() ?? {};
  return requestId === undefined ? {} : { requestId, clientId, accountId, traceId };
}

function wrap(target: Pino): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!target.isLevelEnabled(level)) return;
    target[level]({ ...scopeFields(), ...redactFields(fields) }, redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(target.child(redactFields(fields))),
  };
}

/** JSON lines with ISO time and the level as text. Secrets are removed from fields, texts and errors. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: 'gatehouse' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are already serialised here. Pino's own serializer would damage the result.
    serializers: { err: (value: unknown) => value },
  };
  return wrap(pino(options, destination ?? pino.destination({ dest: 1, sync: true })));
}
