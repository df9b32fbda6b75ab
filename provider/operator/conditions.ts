import type { ClientResourceStatus, Condition, KubernetesEvent } from '../ports/kubernetes.ts';

/** A condition without what follows from the condition before it. */
export type Finding = Pick<Condition, 'status' | 'reason' | 'message'>;

/** What one look at a resource found. */
export interface Findings {
  /** Whether the spec may be a client. */
  Accepted: Finding;
  /** Whether the client has the secret that its spec names or asks for. */
  SecretReady: Finding;
  /** Whether the client is in use as the spec says. */
  Ready: Finding;
}

export const found = (reason: string, message: string): Finding => ({ status: 'True', reason, message });
export const missing = (reason: string, message: string): Finding => ({ status: 'False', reason, message });

/**
 * The conditions for new findings. `lastTransitionTime` changes only together with `status`, so equal findings give an
 * equal status, and nothing is written.
 *
 * @param now milliseconds since the epoch
 */
export function conditionsOf(
  findings: Findings,
  before: readonly Condition[],
  generation: number,
  now: number,
): Condition[] {
  return (['Ready', 'Accepted', 'SecretReady'] as const).map((type) => {
    const { status, reason, message } = findings[type];
    const last = before.find((condition) => condition.type === type);
    const time = last?.status === status ? last.lastTransitionTime : secondsOf(now);
    return { type, status, reason, message, observedGeneration: generation, lastTransitionTime: time };
  });
}

/** Kubernetes writes times with whole seconds. */
export const secondsOf = (now: number): string => new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');

/**
 * Events for the conditions whose status or reason changed. What is right from the beginning has no event. `Ready` has
 * none, because it follows from the others.
 */
export function eventsOf(before: readonly Condition[], after: readonly Condition[]): KubernetesEvent[] {
  return after.flatMap(({ type, status, reason, message }) => {
    const last = before.find((condition) => condition.type === type);
    const isNews = last === undefined ? status === 'False' : last.status !== status || last.reason !== reason;
    if (type === 'Ready' || !isNews) return [];
    return [{ type: status === 'False' ? 'Warning' : 'Normal', reason, message }];
  });
}

const conditionText = ({
  type,
  status,
  reason,
  message,
  observedGeneration,
  lastTransitionTime,
}: Condition) => [type, status, reason, message, observedGeneration, lastTransitionTime].join('\0');

/** Whether the API server holds this status already. */
export function isSameStatus(a: ClientResourceStatus, b: ClientResourceStatus): boolean {
  const conditions = (status: ClientResourceStatus) =>
    (status.conditions ?? []).map(conditionText).join('\n');
  return (
    a.observedGeneration === b.observedGeneration &&
    a.clientId === b.clientId &&
    a.secretName === b.secretName &&
    a.nextRotation === b.nextRotation &&
    conditions(a) === conditions(b)
  );
}
