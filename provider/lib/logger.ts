import { type Logger as Pino, pino } from 'pino';
import { redactFields, redactText } from './redaction.ts';
import { currentRequestScope } from './request-scope.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Record<string, unknown>;

/**
 * Writes lines for machines to search: what happened as a fixed text, what varies as fields. Within a request each
 * line has its id, and the client's and the account's where they are known, without a caller's doing.
 *
 * `error`: a person must act now. `warn`: look at it in working hours. `info`: what happened. `debug`: for whoever
 * hunts a fault. Every text stands in `docs/operate.md`, with what to do.
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

/** Of the request under way. What a caller says goes before it. */
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
