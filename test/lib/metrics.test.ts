import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../provider/lib/metrics.ts';

const body = async (metrics: ReturnType<typeof createMetrics>) => (await metrics.render()).body.split('\n');

describe('metrics', () => {
  test('are written in the text format of Prometheus', async () => {
    const { contentType } = await createMetrics({ version: '1.2.3' }).render();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  test('have all their names', async () => {
    const lines = await body(createMetrics({ version: '1.2.3' }));
    const names = lines.flatMap((line) => /^# TYPE (\S+ \S+)$/.exec(line)?.[1] ?? []);
    expect(names.sort()).toEqual([
      'gatehouse_build_info gauge',
      'gatehouse_client_metadata_fetches_total counter',
      'gatehouse_clients_loaded gauge',
      'gatehouse_clients_reload_failures_total counter',
      'gatehouse_clients_stale gauge',
      'gatehouse_denylist_copy_trusted gauge',
      'gatehouse_dependency_up gauge',
      'gatehouse_hashing_queue_depth gauge',
      'gatehouse_hashing_refused_total counter',
      'gatehouse_hashing_wait_seconds histogram',
      'gatehouse_http_request_duration_seconds histogram',
      'gatehouse_http_requests_total counter',
      'gatehouse_interactions_total counter',
      'gatehouse_keys gauge',
      'gatehouse_keys_reload_failures_total counter',
      'gatehouse_limited_total counter',
      'gatehouse_limits_local gauge',
      'gatehouse_logout_delay_seconds histogram',
      'gatehouse_logouts_oldest_seconds gauge',
      'gatehouse_logouts_pending gauge',
      'gatehouse_logouts_set_aside gauge',
      'gatehouse_logouts_total counter',
      'gatehouse_mail_delay_seconds histogram',
      'gatehouse_mail_reports_total counter',
      'gatehouse_mails_oldest_seconds gauge',
      'gatehouse_mails_pending gauge',
      'gatehouse_mails_set_aside gauge',
      'gatehouse_mails_total counter',
      'gatehouse_operator_leader gauge',
      'gatehouse_operator_looks_total counter',
      'gatehouse_operator_resources gauge',
      'gatehouse_operator_waiting gauge',
      'gatehouse_operator_watch_failures_total counter',
      'gatehouse_outbox_events_total counter',
      'gatehouse_outbox_lag_seconds histogram',
      'gatehouse_outbox_oldest_seconds gauge',
      'gatehouse_outbox_pending gauge',
      'gatehouse_outbox_set_aside gauge',
      'gatehouse_refresh_tokens_repeated_total counter',
      'gatehouse_refresh_tokens_reused_total counter',
      'gatehouse_secrets_outdated gauge',
      'gatehouse_sign_ins_total counter',
      'gatehouse_signatures_total counter',
      'gatehouse_store_call_duration_seconds histogram',
      'gatehouse_store_errors_total counter',
      'gatehouse_tokens_issued_total counter',
      'gatehouse_untrusted_forwarded_headers_total counter',
      'gatehouse_verifications_total counter',
    ]);
  });

  test('count, hold and observe, with and without labels', async () => {
    const metrics = createMetrics({ version: '1.2.3' });
    metrics.signIns.inc({ outcome: 'ok' });
    metrics.signIns.inc({ outcome: 'ok' });
    metrics.keysReloadFailures.inc();
    metrics.outboxPending.set(7);
    metrics.clientsStale.set(1, { source: 'file' });
    metrics.hashingWait.observe(0.02);
    metrics.httpRequestDuration.observe(0.2, { route: '/x', method: 'GET' });
    expect(await body(metrics)).toEqual(
      expect.arrayContaining([
        'gatehouse_sign_ins_total{outcome="ok"} 2',
        'gatehouse_keys_reload_failures_total 1',
        'gatehouse_outbox_pending 7',
        'gatehouse_clients_stale{source="file"} 1',
        'gatehouse_hashing_wait_seconds_bucket{le="0.025"} 1',
        'gatehouse_hashing_wait_seconds_bucket{le="0.01"} 0',
        'gatehouse_http_request_duration_seconds_count{route="/x",method="GET"} 1',
        `gatehouse_build_info{version="1.2.3",node="${process.version}"} 1`,
      ]),
    );
  });

  test('of two instances in one process are separate', async () => {
    const [one, other] = [createMetrics({ version: '1' }), createMetrics({ version: '2' })];
    one.untrustedForwardedHeaders.inc();
    expect(await body(other)).toContain('gatehouse_untrusted_forwarded_headers_total 0');
  });

  test('of the process itself are included on request', async () => {
    const lines = await body(createMetrics({ version: '1', runtime: true }));
    expect(lines).toContain('# TYPE process_resident_memory_bytes gauge');
  });
});
