import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';

/** Where problems with client documents are reported. */
export interface SourceReportOptions {
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'clientsReloadFailures' | 'clientsStale'>;
}

/**
 * Reports the problems of a source. Metrics are set at every call; a log line is written only when the problems
 * changed, and once more when they are gone.
 *
 * @returns a function that takes the source's name and all its problems now (none: it is good)
 */
export function createSourceReport({ logger, metrics }: SourceReportOptions) {
  const logged = new Map<string, string>();
  return (source: string, problems: readonly string[]): void => {
    metrics.clientsStale.set(problems.length > 0 ? 1 : 0, { source });
    if (problems.length > 0) metrics.clientsReloadFailures.inc({ source });
    const text = problems.join('\n');
    if (text === (logged.get(source) ?? '')) return;
    logged.set(source, text);
    if (text === '') logger.info({ source }, 'client documents are in use again');
    else logger.warn({ source, problems }, 'client documents have problems, keeping the last good ones');
  };
}
