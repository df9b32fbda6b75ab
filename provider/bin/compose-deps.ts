import type { AccessModel } from '../config/access-model.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Ports } from './adapters.ts';

/** What everything is made from. */
export interface ComposeDeps {
  config: Config;
  accessModel: AccessModel;
  ports: Ports;
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  isReady(): boolean;
}
