import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import type { StoredClient } from '../ports/client-store.ts';
import type { ClientResource, Kubernetes, KubernetesSecret, ObjectKey } from '../ports/kubernetes.ts';
import type { Acceptable } from './acceptance.ts';
import { type Finding, found, secondsOf } from './conditions.ts';
import { durationMs, type OperatorFields } from './operator-fields.ts';
import { hasContent, type IssuerAddresses, secretContent } from './secret-content.ts';
import {
  digestOf,
  generatedAnnotation,
  nextSecrets,
  planSecret,
  rotateAnnotation,
  type SecretState,
} from './secret-plan.ts';

/** What was done about the secret of a client. */
export interface SecretResult {
  finding: Finding;
  /** Whether the store has the client as the spec says. */
  written: boolean;
  secretName?: string;
  nextRotation?: string;
  againMs?: number;
}

const defaultOverlap = '24h';

/** The name of the Secret of a resource, whether it exists or not. */
export function secretNameOf({ name }: ObjectKey, spec: Record<string, unknown>): string {
  const { secretRef, secretName } = spec as Partial<OperatorFields>;
  return secretRef?.name ?? secretName ?? `${name}-oidc`;
}

export interface SecretDeps {
  kubernetes: Kubernetes;
  addresses: IssuerAddresses;
  clock: Clock;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** How long after a write of a client every process uses it, in milliseconds. */
  propagationMs: number;
}

/** A client whose secret is settled. */
interface SettledClient {
  resource: ClientResource;
  acceptable: Acceptable;
  stored: StoredClient | undefined;
  /** Writes the client with these digests to the store. */
  put(secrets: StoredClient['secrets']): Promise<void>;
}

/** Finds or makes the secret of a client, and writes the client to the store with it. */
export async function settleSecret(client: SettledClient, deps: SecretDeps): Promise<SecretResult> {
  const { resource, acceptable, put } = client;
  if (acceptable.secret === 'none' || acceptable.secret === 'digests') {
    await put([]);
    const finding =
      acceptable.secret === 'none'
        ? found('NotNeeded', 'The client uses no secret.')
        : found('DigestsGiven', 'The spec has the digests of the secrets.');
    return { finding, written: true };
  }
  const { namespace } = resource.metadata;
  const secret = await deps.kubernetes.findSecret({
    namespace,
    name: secretNameOf(resource.metadata, resource.spec),
  });
  return settleWith(secret, acceptable.secret, client, deps);
}

async function settleWith(
  secret: KubernetesSecret | undefined,
  source: 'referenced' | 'generated',
  client: SettledClient,
  deps: SecretDeps,
): Promise<SecretResult> {
  const { resource, acceptable, stored, put } = client;
  const { clientId, fields } = acceptable;
  const name = secretNameOf(resource.metadata, resource.spec);
  const key = fields.secretRef?.key ?? 'client_secret';
  const now = deps.clock.now();
  const state: SecretState = {
    source,
    name,
    key,
    secret: secret && observed(secret, key, resource),
    stored: stored?.secrets ?? [],
    rotate: resource.metadata.annotations?.[rotateAnnotation],
    rotateAfterMs: fields.rotateAfter === undefined ? undefined : durationMs(fields.rotateAfter),
    overlapMs: durationMs(fields.overlap ?? defaultOverlap),
    now,
  };
  const plan = planSecret(state);
  const kept: KeptSecret = { clientId, name, resource, secret, rotate: state.rotate };
  switch (plan.kind) {
    case 'wait': {
      // The document may have changed although its secret is not there. The digests in the store stay.
      const isLive = state.stored.length > 0;
      if (isLive) await put(state.stored);
      return { finding: plan.finding, written: isLive, secretName: name };
    }
    case 'write': {
      const written = await writeNew(randomToken(), kept, deps, plan.why);
      return settleWith(written, source, client, deps);
    }
    case 'rotate': {
      const value = randomToken();
      const { overlapMs } = state;
      await put(nextSecrets(state.stored, digestOf(value), { now, overlapMs, keep: plan.keep }));
      await pause(deps.propagationMs);
      await writeNew(value, kept, deps, 'SecretRotated');
      return { ...inUse(source, name), againMs: 0 };
    }
    case 'use': {
      await put(plan.secrets);
      if (source === 'generated') await repair(kept, deps);
      return {
        ...inUse(source, name),
        ...(plan.rotateAt !== undefined && {
          nextRotation: secondsOf(plan.rotateAt),
          againMs: Math.max(1000, plan.rotateAt - now),
        }),
      };
    }
  }
}

const inUse = (source: 'referenced' | 'generated', name: string): SecretResult => ({
  finding:
    source === 'referenced'
      ? found('SecretFound', `The client secret in the Secret ${name} is in use.`)
      : found('SecretWritten', `The Secret ${name} has the client secret.`),
  written: true,
  secretName: name,
});

function observed(
  secret: KubernetesSecret,
  key: string,
  { metadata }: ClientResource,
): SecretState['secret'] {
  const { annotations = {}, ownerReferences = [] } = secret.metadata;
  const generatedAt = Date.parse(annotations[generatedAnnotation] ?? '');
  return {
    // Tools that make Secrets of files often add a line break.
    value: secret.data[key]?.replace(/\r?\n$/, ''),
    owned: ownerReferences.some(({ uid }) => uid === metadata.uid),
    rotate: annotations[rotateAnnotation],
    generatedAt: Number.isNaN(generatedAt) ? undefined : generatedAt,
  };
}

interface KeptSecret {
  clientId: string;
  name: string;
  resource: ClientResource;
  /** The Secret as it was read. */
  secret: KubernetesSecret | undefined;
  rotate: string | undefined;
}

async function writeNew(
  value: string,
  { clientId, name, resource, secret, rotate }: KeptSecret,
  { kubernetes, addresses, clock, logger }: SecretDeps,
  why: 'SecretGenerated' | 'SecretReplaced' | 'SecretRotated',
): Promise<KubernetesSecret> {
  const { namespace } = resource.metadata;
  const annotations = {
    [generatedAnnotation]: secondsOf(clock.now()),
    ...(rotate !== undefined && { [rotateAnnotation]: rotate }),
  };
  const data = secretContent(clientId, value, addresses);
  const write = await kubernetes.writeSecret({ namespace, name, data, annotations }, resource, secret);
  // Another process wrote first, or the namespace is being deleted. The next look decides again.
  if (write.outcome !== 'written')
    throw new Error(`the Secret ${namespace}/${name} was changed at the same time`);
  logger.info(
    { resource: `${namespace}/${resource.metadata.name}`, clientId, writtenTo: name, why },
    'client secret generated',
  );
  const event = {
    type: 'Normal' as const,
    reason: why,
    message: `The Secret ${name} has a new client secret.`,
  };
  await kubernetes.recordEvent(resource, event).catch(() => {});
  return write.object;
}

/** Corrects the other keys of a generated Secret: the issuer may have changed, or a person edited them. */
async function repair(
  { clientId, name, resource, secret }: KeptSecret,
  { kubernetes, addresses }: SecretDeps,
): Promise<void> {
  if (secret === undefined) return;
  const content = secretContent(clientId, secret.data.client_secret ?? '', addresses);
  if (hasContent(secret, content)) return;
  const { namespace } = resource.metadata;
  await kubernetes.writeSecret({ namespace, name, data: content, annotations: {} }, resource, secret);
}
