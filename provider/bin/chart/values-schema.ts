import { clientDocumentJsonSchema } from '../../clients/json-schema.ts';
import { apiJsonSchema } from '../../config/apis.ts';
import { settingList } from '../../config/schema.ts';
import { type ChartValue, readChartValues } from './values-file.ts';

/** The settings that the chart sets from values of its own, or that make no sense in a pod. */
const setByTheChart: ReadonlySet<string> = new Set([
  'GATEHOUSE_PORT',
  'GATEHOUSE_OPS_PORT',
  'GATEHOUSE_HOST',
  'GATEHOUSE_OPS_HOST',
  'GATEHOUSE_ISSUER',
  'GATEHOUSE_AUDIENCE',
  'GATEHOUSE_TRUSTED_PROXIES',
  'GATEHOUSE_DATABASE_URL',
  'GATEHOUSE_DATABASE_PASSWORD',
  'GATEHOUSE_REDIS_URL',
  'GATEHOUSE_REDIS_PASSWORD',
  'GATEHOUSE_SERVER_SECRETS',
  'GATEHOUSE_KEYS',
  'GATEHOUSE_KEYS_SECRET',
  'GATEHOUSE_JOBS',
  'GATEHOUSE_DATA_FOLDER',
  'GATEHOUSE_SHUTDOWN_DELAY_SECONDS',
  'GATEHOUSE_SHUTDOWN_SECONDS',
  'GATEHOUSE_OPERATOR_NAMESPACES',
  'GATEHOUSE_OPERATOR_LEASE',
]);

/** Parts of the schema that come from the product, by their name in `@schema {"gatehouse": …}`. */
const fromTheProduct: Record<string, () => Record<string, unknown>> = {
  settings: () => ({
    type: 'object',
    properties: Object.fromEntries(
      settingList
        .filter(({ setting }) => !setByTheChart.has(setting.name))
        .map(({ setting }) => [
          setting.name,
          { type: ['string', 'integer', 'boolean'], description: setting.description },
        ]),
    ),
    additionalProperties: false,
  }),
  clients: () => ({ type: 'array', items: clientDocumentJsonSchema() }),
  apis: () => ({ type: 'array', items: apiJsonSchema() }),
};

const typeOf = (value: unknown) => {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? 'integer' : typeof value;
};

function schemaOf({ schema, children, default: value, description }: ChartValue): Record<string, unknown> {
  const { gatehouse, ...own } = schema;
  const base =
    typeof gatehouse === 'string' ? fromTheProduct[gatehouse]?.() : { type: typeOf(value), ...own };
  const inner = children === undefined ? {} : closed(children);
  return { ...(description === '' ? {} : { description }), ...base, ...inner };
}

const closed = (values: ChartValue[]) => ({
  type: 'object',
  properties: Object.fromEntries(values.map((value) => [value.path.split('.').at(-1), schemaOf(value)])),
  additionalProperties: false,
});

/**
 * Renders the JSON Schema of the chart's values. It refuses a misspelt key. `global` and `enabled` are known, because
 * Helm passes both to a chart that is part of another one.
 */
export function renderValuesSchema(values = readChartValues()): string {
  const { properties, ...rest } = closed(values);
  const umbrella = {
    global: { description: 'Values of an umbrella chart. Not used here.', type: 'object' },
    enabled: { description: 'Whether an umbrella chart installs this one. Not used here.', type: 'boolean' },
  };
  const document = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart gatehouse',
    ...rest,
    properties: { ...properties, ...umbrella },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
