import type Koa from 'koa';
import type { MailRenderer } from '../interactions/mail-renderer.ts';
import { createKeyRing, type KeyRing } from '../keys/key-ring.ts';
import { keyTimesOf } from '../keys/key-set.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { Component } from '../lib/lifecycle.ts';
import type { ComposeDeps } from './compose-deps.ts';
import { composeJobs, keyRotationOf } from './compose-jobs.ts';
import { composeLogoutSender } from './compose-logouts.ts';
import { composeMailDelivery } from './compose-mails.ts';
import { composeOperations } from './compose-operations.ts';
import { measuredPorts, measureOutbox } from './measurements.ts';
import { every, serverSecretsPollSeconds } from './repeated-job.ts';

export interface Worker {
  /** The operations listener's application. */
  operations: Koa;
  jobs: Component;
}

export type WorkerDeps = Pick<
  ComposeDeps,
  'config' | 'ports' | 'clock' | 'logger' | 'metrics' | 'tracing' | 'phase'
> & {
  /** What mails need. Undefined when mail is off. */
  mail?: { renderer: MailRenderer; serverSecrets: ServerSecrets } | undefined;
};

/** Assembles a process that does jobs and answers no requests except those of operations. */
export function composeWorker(deps: WorkerDeps): Worker {
  const { config, clock, logger, metrics, tracing, mail } = deps;
  const ports = measuredPorts(deps.ports, { metrics, clock, tracing });
  const keyRing = createKeyRing({
    store: ports.keyStore,
    clock,
    logger,
    metrics,
    pollSeconds: config.keysPollSeconds,
    ...keyTimesOf(config),
  });
  const secrets = mail && every('server secrets', serverSecretsPollSeconds, mail.serverSecrets.refresh);
  const { component } = composeJobs({
    ports,
    clock,
    logger,
    metrics,
    takesPart: true,
    mails:
      mail &&
      ((pauses) =>
        composeMailDelivery({
          ...deps,
          ports,
          keys: () => mail.serverSecrets.keys,
          renderer: mail.renderer,
          pauses,
        })),
    keyRotation: keyRotationOf(config, ports.keyStore),
    sendLogout: logoutSender({ ...deps, ports }, keyRing),
  });
  const operations = composeOperations({ ...deps, ports }, () =>
    measureOutbox({
      outbox: ports.outbox,
      logouts: ports.logouts,
      mails: mail && ports.mails,
      clock,
      metrics,
    }),
  );
  const start = async () => {
    await secrets?.start?.();
    await component.start?.();
  };
  const stop = async () => {
    await component.stop?.();
    await secrets?.stop?.();
    await keyRing.close();
  };
  return { operations, jobs: { ...component, start, stop } };
}

/**
 * Sends logout tokens. The keys are read before the first one: a person has signed in by then, so there are keys.
 * Undefined for a worker without a setting for the keys.
 */
function logoutSender({ config, ports, clock, metrics }: WorkerDeps, keyRing: KeyRing) {
  if (config.keys === undefined) return undefined;
  let started: Promise<void> | undefined;
  const start = () =>
    keyRing.start().catch((error: unknown) => {
      started = undefined;
      throw error;
    });
  return composeLogoutSender({
    config,
    clock,
    metrics,
    remoteSigner: ports.remoteSigner,
    keys: async () => {
      started ??= start();
      await started;
      return keyRing.current();
    },
  });
}
