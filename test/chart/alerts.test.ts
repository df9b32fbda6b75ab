import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createMetrics } from '../../provider/lib/metrics.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

const alertsText = readFileSync('charts/gatehouse/files/alerts.yaml', 'utf8');
const rules = (parse(alertsText) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const dashboard = readFileSync('charts/gatehouse/files/dashboard.json', 'utf8');
const runbooks = readFileSync('docs/operate.md', 'utf8').split('\n## Runbooks\n')[1]?.split('\n## ')[0] ?? '';

/** The names that a process reports, with the suffixes of a histogram. */
async function reported(): Promise<Set<string>> {
  const { body } = await createMetrics({ version: '0', runtime: true }).render();
  return new Set(
    [...body.matchAll(/^# TYPE (?<name>\S+) (?<type>\S+)$/gm)].flatMap(({ groups }) => {
      const name = groups?.name ?? '';
      return groups?.type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
    }),
  );
}

const named = (text: string) => [...new Set(text.match(/\b(gatehouse|process|nodejs)_[a-z0-9_]+/g))];

test('every alert has a runbook, and every runbook an alert', () => {
  const titles = [...runbooks.matchAll(/^### (?<title>\w+)$/gm)].map(({ groups }) => groups?.title);
  expect(titles.sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test.each(rules)(
  'the runbook of $alert says what people notice, what to look at and what to do',
  ({ alert }) => {
    const text = runbooks.split(`\n### ${alert}\n`)[1]?.split('\n### ')[0] ?? '';
    for (const part of ['**What people notice.**', '**Look at.**', '**Do.**']) expect(text).toContain(part);
  },
);

test.each(rules)('$alert has a severity and two sentences', ({ labels, annotations }) => {
  expect(['critical', 'warning']).toContain(labels.severity);
  expect(annotations.summary.length).toBeGreaterThan(10);
  expect(annotations.description).toMatch(/\.$/);
});

test('alerts and dashboard name only metrics that a process reports', async () => {
  const known = await reported();
  expect(named(alertsText).filter((name) => !known.has(name))).toEqual([]);
  expect(named(dashboard).filter((name) => !known.has(name))).toEqual([]);
});

test('promtool tests every alert: that it fires, and that it does not', () => {
  const { tests } = parse(readFileSync('test/chart/alerts.promtool.yaml', 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const { alert } of rules) {
    const fired = cases
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length > 0);
    expect([alert, ...new Set(fired.sort())]).toEqual([alert, false, true]);
  }
});
