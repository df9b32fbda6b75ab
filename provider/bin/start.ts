import { compose, type Gatehouse } from '../compose/compose.ts';
import type { Ports } from '../compose/ports.ts';
import { version } from '../compose/version.ts';
import type { AccessModel } from '../config/access-model.ts';
import type { Environment } from '../config/environment.ts';
import { processEnvironment } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Pages } from '../interactions/pages.ts';
import type { SecretList } from '../keys/server-secrets.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { createLifecycle, type Lifecycle } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import { createMetrics } from '../lib/metrics.ts';
import { startTracing } from '../lib/start-tracing.ts';
import { supportedNodeMajor } from '../oidc/runtime-notice.ts';
import { yieldToRequests } from './background-threads.ts';
import { listening } from './listening.ts';

export interface StartDeps {
  config: Config;
  accessModel: AccessModel;
  pages: Pages;
  ports: Ports;
  /** Gives the server secrets as they are now. They are read again while the process runs. */
  readServerSecrets(): Promise<SecretList>;
  logger: Logger;
  /** Runs before the listeners open. */
  prepare?(gatehouse: Gatehouse): Promise<void>;
  clock?: Clock;
  /**
   * Aborted when the process must stop before the start is complete. Then `start` stops everything again and rejects.
   */
  stopping?: AbortSignal;
  /**
   * The environment that names the collector of traces, in the standard variables. The default is the environment of
   * the process.
   */
  environment?: Environment;
}

export interface Running {
  /**
   * Stops in this order: it reports that it is not ready, keeps serving for a while, waits for current requests, and
   * closes everything. Another call returns the same promise.
   */
  stop(): Promise<void>;
}

/** Starts everything. If a part fails, it stops the parts that had started. */
export async function start(deps: StartDeps): Promise<Running> {
  deps.stopping?.throwIfAborted();
  const { config, ports, logger, clock = systemClock } = deps;
  const lifecycle = createLifecycle({ logger, clock });
  for (const dependency of ports.dependencies) {
    lifecycle.add({ name: dependency.name, stop: () => dependency.close() });
  }
  const environment = deps.environment ?? processEnvironment();
  const tracing = await startTracing({ environment, version, clock, logger });
  if (tracing) lifecycle.add({ name: 'traces', stop: () => tracing.stop(), stopSeconds: 5 });
  const gatehouse = await compose({
    ...deps,
    clock,
    tracing,
    metrics: createMetrics({ version, runtime: true }),
    phase: () => lifecycle.phase(),
  }).catch(async (error) => {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
    throw error;
  });
  for (const job of gatehouse.jobs) lifecycle.add(job);
  if (deps.prepare) lifecycle.add({ name: 'preparation', start: () => deps.prepare?.(gatehouse) });
  const { port, host, opsPort, opsHost } = config;
  const operations = { app: gatehouse.operations, port: opsPort, host: opsHost ?? host };
  lifecycle.add(listening('operations listener', operations, config.shutdownSeconds));
  const stopsSoon = new AbortController();
  const open = { app: gatehouse.app, port, host, stopsSoon: stopsSoon.signal };
  lifecycle.add(listening('public listener', open, config.shutdownSeconds));
  await yieldToRequests();
  await startUnless(deps.stopping, lifecycle);
  sayHello(deps);
  return {
    stop: async () => {
      stopsSoon.abort();
      await lifecycle.stop({ delaySeconds: config.shutdownDelaySeconds });
    },
  };
}

async function startUnless(stopping: AbortSignal | undefined, lifecycle: Lifecycle): Promise<void> {
  const stop = () => void lifecycle.stop();
  stopping?.addEventListener('abort', stop);
  if (stopping?.aborted) stop();
  try {
    await lifecycle.start();
  } finally {
    stopping?.removeEventListener('abort', stop);
  }
}

function sayHello({ config, pages, logger }: StartDeps): void {
  const { issuer, port, opsPort } = config;
  const node = process.versions.node;
  logger.info({ issuer, port, opsPort, version, node }, 'gatehouse is ready');
  for (const { language, keys } of pages.missingTexts)
    logger.warn({ language, keys }, 'a language lacks texts: pages show the English ones');
  if (Number(node.split('.')[0]) < supportedNodeMajor)
    logger.warn({ node, moveTo: supportedNodeMajor }, 'this Node works but is past its support');
}
