import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';

/** The log and the metrics to which problems with client documents are reported. */
export interface SourceReportOptions {
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'clientsReloadFailures' | 'clientsStale'>;
}

/**
 * Reports the problems of a source. Metrics are set at every call. A log line is written only when the problems have
 * changed, and once when there are no problems any more.
 *
 * @returns a function that takes the name of the source and all its current problems; an empty list means that it is
 *   good
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
