import { type ChartValue, readChartValues } from './values-file.ts';

const head = `# The chart \`gatehouse\`

Installs Gatehouse on Kubernetes 1.30 or later: servers, workers, optionally the operator, the migration of the database, the rotation of the
signing keys, and what watches them. [\`docs/running.md\`](../../docs/running.md#kubernetes) has the whole walk.

\`\`\`sh
helm upgrade --install gatehouse charts/gatehouse --namespace gatehouse --values values.yaml
helm test gatehouse --namespace gatehouse
\`\`\`

- The chart makes no secret. Each credential is a key of a Secret that exists, or a reference to AWS Secrets Manager.
- \`ci/\` has values of a small and of two large installations. They are used in the tests.
- A misspelt value is refused, and so are values that cannot work together. All problems are listed at once.
- Switch \`serve.autoscaling.enabled\` on when you install, or at a quiet hour: the number of pods is then no longer Helm's, and Kubernetes sets
  it to 1 for a moment, until the autoscaler acts ([helm/helm#12650](https://github.com/helm/helm/issues/12650)).
- After \`kubectl scale\`, Helm 4 reports a conflict about \`spec.replicas\`: set \`serve.replicas\` instead, or use \`--force-conflicts\`.

This page is generated from \`values.yaml\` by \`npm run generate\`.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function rows(value: ChartValue): string[] {
  const { path, description, children } = value;
  if (children === undefined)
    return [`| \`${path}\` | ${cell(description)} | \`${cell(JSON.stringify(value.default))}\` |`];
  const own = description === '' ? [] : [`| \`${path}\` | ${cell(description)} | |`];
  return [...own, ...children.flatMap(rows)];
}

/** Renders the chart's README: how to install it, and a table of all values by section. */
export function renderChartReadme(values = readChartValues()): string {
  const parts = [head];
  for (const value of values) {
    if (value.heading !== undefined) {
      parts.push(`## ${value.heading}\n`);
      if (value.introduction) parts.push(`${value.introduction}\n`);
      parts.push('| value | what it does | default |\n|---|---|---|');
    }
    parts.push(...rows(value));
  }
  return `${parts.join('\n').replaceAll(/\|\n## /g, '|\n\n## ')}\n`;
}
