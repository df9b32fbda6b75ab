import {
  type CounterConfiguration,
  collectDefaultMetrics,
  type GaugeConfiguration,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

type Labels<Label extends string> = [Label] extends [never] ? [] : [labels: Record<Label, string>];

/** A counter that goes up by one. */
export interface Counter<Label extends string = never> {
  inc(...labels: Labels<Label>): void;
}

/** A counter that goes up by any number. */
export interface Tally<Label extends string = never> {
  add(count: number, ...labels: Labels<Label>): void;
}

/** The current value of a number. */
export interface Gauge<Label extends string = never> {
  set(value: number, ...labels: Labels<Label>): void;
}

/** The distribution of a number's values. */
export interface Histogram<Label extends string = never> {
  observe(value: number, ...labels: Labels<Label>): void;
}

export interface MetricsOptions {
  version: string;
  /** Whether to add metrics of the process itself: memory, event loop, garbage collection. */
  runtime?: boolean;
}

export type Metrics = ReturnType<typeof createMetrics>;

function factories(registry: Registry) {
  const registers = [registry];
  return {
    counter<const Label extends string = never>(
      name: string,
      help: string,
      ...labelNames: Label[]
    ): Counter<Label> {
      const target = new PromCounter({ name, help, labelNames, registers } as CounterConfiguration<Label>);
      return { inc: (...[labels]) => target.inc((labels ?? {}) as Record<Label, string>) };
    },
    tally<const Label extends string = never>(
      name: string,
      help: string,
      ...labelNames: Label[]
    ): Tally<Label> {
      const target = new PromCounter({ name, help, labelNames, registers } as CounterConfiguration<Label>);
      return { add: (count, ...[labels]) => target.inc((labels ?? {}) as Record<Label, string>, count) };
    },
    gauge<const Label extends string = never>(
      name: string,
      help: string,
      ...labelNames: Label[]
    ): Gauge<Label> {
      const target = new PromGauge({ name, help, labelNames, registers } as GaugeConfiguration<Label>);
      return { set: (value, ...[labels]) => target.set((labels ?? {}) as Record<Label, string>, value) };
    },
    histogram<const Label extends string = never>(
      name: string,
      help: string,
      buckets: number[],
      ...labelNames: Label[]
    ): Histogram<Label> {
      const target = new PromHistogram({ name, help, labelNames, buckets, registers });
      return {
        observe: (value, ...[labels]) => target.observe((labels ?? {}) as Record<Label, string>, value),
      };
    },
  };
}

/**
 * All metrics of one process, in a separate registry. Each label has few values: a route label holds the pattern,
 * never a path. No label ever holds the id of a person or a client.
 */
export function createMetrics({ version, runtime = false }: MetricsOptions) {
  const registry = new Registry();
  const { counter, tally, gauge, histogram } = factories(registry);
  if (runtime) collectDefaultMetrics({ register: registry });
  const build = gauge('gatehouse_build_info', 'Which build this is; always 1.', 'version', 'node');
  build.set(1, { version, node: process.version });
  const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  const callSeconds = [0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10];
  const lagSeconds = [0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200];
  return {
    httpRequests: counter('gatehouse_http_requests_total', 'Requests answered.', 'route', 'method', 'status'),
    httpRequestDuration: histogram(
      'gatehouse_http_request_duration_seconds',
      'From the first byte of a request to the last of its answer.',
      seconds,
      'route',
      'method',
    ),
    signIns: counter('gatehouse_sign_ins_total', 'Tries to sign in, by what came of them.', 'outcome'),
    tokensIssued: counter('gatehouse_tokens_issued_total', 'Access tokens issued.', 'grant', 'client_kind'),
    signatures: counter('gatehouse_signatures_total', 'Tokens signed, by the key that signed them.', 'kid'),
    hashingQueueDepth: gauge('gatehouse_hashing_queue_depth', 'Passwords waiting to be hashed.'),
    hashingWait: histogram(
      'gatehouse_hashing_wait_seconds',
      'How long passwords waited to be hashed.',
      seconds,
    ),
    hashingRefused: counter(
      'gatehouse_hashing_refused_total',
      'Passwords that were not hashed because too many waited.',
    ),
    interactions: counter(
      'gatehouse_interactions_total',
      'Times a person was asked something, by what for and what came of it.',
      'prompt',
      'outcome',
    ),
    refreshTokensRepeated: counter(
      'gatehouse_refresh_tokens_repeated_total',
      'Spent refresh tokens that came again within their grace, by what they got.',
      'outcome',
    ),
    refreshTokensReused: counter(
      'gatehouse_refresh_tokens_reused_total',
      'Spent refresh tokens that came again and ended their family.',
    ),
    storeCallDuration: histogram(
      'gatehouse_store_call_duration_seconds',
      'How long a call of a store took, failed or not.',
      callSeconds,
      'store',
      'operation',
    ),
    storeErrors: counter(
      'gatehouse_store_errors_total',
      'Calls of a store that failed.',
      'store',
      'operation',
    ),
    dependencyUp: gauge(
      'gatehouse_dependency_up',
      '1 when it answered the last time /readyz was asked, else 0.',
      'dependency',
    ),
    denylistCopyTrusted: gauge(
      'gatehouse_denylist_copy_trusted',
      '1 while revocations are looked up in the copy in Redis, 0 while in Postgres.',
    ),
    verifications: counter(
      'gatehouse_verifications_total',
      'Access tokens that gateways asked about, by what they were told.',
      'outcome',
    ),
    limited: counter(
      'gatehouse_limited_total',
      'Requests refused because there were too many, by what was asked and by what it was counted.',
      'action',
      'by',
    ),
    limitsLocal: gauge(
      'gatehouse_limits_local',
      '1 while each process counts for itself, since the store of limits is away, else 0.',
    ),
    clientsLoaded: gauge('gatehouse_clients_loaded', 'Clients in use, by where they come from.', 'source'),
    clientsReloadFailures: counter(
      'gatehouse_clients_reload_failures_total',
      'Changes of clients that were not taken over.',
      'source',
    ),
    clientsStale: gauge(
      'gatehouse_clients_stale',
      '1 while the last change of clients was bad and those before it are in use.',
      'source',
    ),
    clientMetadataFetches: counter(
      'gatehouse_client_metadata_fetches_total',
      'Looks for the metadata document of a client at its URL, by what came of them.',
      'outcome',
    ),
    outboxPending: gauge('gatehouse_outbox_pending', 'Events not published yet.'),
    outboxOldest: gauge('gatehouse_outbox_oldest_seconds', 'Age of the oldest event not published yet.'),
    outboxEvents: tally(
      'gatehouse_outbox_events_total',
      'Deliveries of events, by what came of them.',
      'outcome',
    ),
    outboxLag: histogram(
      'gatehouse_outbox_lag_seconds',
      'How old the oldest event of a batch was when it was picked up.',
      lagSeconds,
    ),
    outboxSetAside: gauge('gatehouse_outbox_set_aside', 'Events given up on, kept for a person to look at.'),
    logouts: counter(
      'gatehouse_logouts_total',
      'Tries to deliver a logout token to a client, by what came of them.',
      'outcome',
    ),
    logoutDelay: histogram(
      'gatehouse_logout_delay_seconds',
      'From the end of a session to the delivery of its logout token.',
      lagSeconds,
    ),
    logoutsPending: gauge('gatehouse_logouts_pending', 'Logout tokens not delivered yet.'),
    logoutsOldest: gauge(
      'gatehouse_logouts_oldest_seconds',
      'Age of the oldest ending of which a client has not heard yet.',
    ),
    logoutsSetAside: gauge(
      'gatehouse_logouts_set_aside',
      'Logout tokens given up on, kept for a person to look at.',
    ),
    mails: counter('gatehouse_mails_total', 'Tries to send a mail, by what came of them.', 'outcome'),
    mailReports: counter(
      'gatehouse_mail_reports_total',
      'Reports of the mail service about mails, by what came of them.',
      'outcome',
    ),
    mailDelay: histogram(
      'gatehouse_mail_delay_seconds',
      'From the writing of a mail until the server has taken it.',
      lagSeconds,
    ),
    mailsPending: gauge('gatehouse_mails_pending', 'Mails not sent yet.'),
    mailsOldest: gauge('gatehouse_mails_oldest_seconds', 'Age of the oldest mail not sent yet.'),
    mailsSetAside: gauge('gatehouse_mails_set_aside', 'Mails given up on, kept for a person to look at.'),
    keys: gauge('gatehouse_keys', 'Signing keys, by their state.', 'state'),
    secretsOutdated: gauge(
      'gatehouse_secrets_outdated',
      'Secrets that cannot be read or used now, so that their last good value is in use.',
    ),
    keysReloadFailures: counter(
      'gatehouse_keys_reload_failures_total',
      'Looks for changed keys that failed; the last good ones stayed in use.',
    ),
    untrustedForwardedHeaders: counter(
      'gatehouse_untrusted_forwarded_headers_total',
      'Requests with forwarded headers from an address that is no trusted proxy.',
    ),
    operatorResources: gauge(
      'gatehouse_operator_resources',
      'OIDCClient resources, by whether they are ready.',
      'state',
    ),
    operatorWaiting: gauge('gatehouse_operator_waiting', 'OIDCClient resources that wait for a look.'),
    operatorLooks: counter(
      'gatehouse_operator_looks_total',
      'Looks at an OIDCClient, by what came of them.',
      'outcome',
    ),
    operatorLeader: gauge(
      'gatehouse_operator_leader',
      '1 while this process does the work of the operator, else 0.',
    ),
    operatorWatchFailures: counter(
      'gatehouse_operator_watch_failures_total',
      'Failed attempts to list or watch objects in Kubernetes.',
    ),
    /** Gives all metrics in the text format of Prometheus. */
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
