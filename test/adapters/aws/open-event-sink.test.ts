import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openEventSink } from '../../../provider/compose/adapters.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';

const before = { ...process.env };
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env.AWS_CONFIG_FILE = '/nonexistent';
  process.env.AWS_SHARED_CREDENTIALS_FILE = '/nonexistent';
});
afterEach(() => {
  process.env = { ...before };
});

test('a bus without a region stops the start with a sentence that says what to do', async () => {
  const opening = openEventSink({ eventsSink: 'eventbridge:main' });
  await expect(opening).rejects.toThrow(ConfigurationError);
  await expect(opening).rejects.toThrow(/no AWS region is configured. Set AWS_REGION, or give the ARN/);
});

test('the region comes from AWS_REGION or from the ARN', async () => {
  await openEventSink({ eventsSink: 'eventbridge:arn:aws:events:us-west-2:123456789012:event-bus/main' });
  process.env.AWS_REGION = 'eu-central-1';
  await openEventSink({ eventsSink: 'eventbridge:main' });
});
