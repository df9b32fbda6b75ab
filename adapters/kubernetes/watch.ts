import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesMetadata, KubernetesWatch, ObjectKey } from '../../provider/ports/kubernetes.ts';
import { type Api, refusal } from './api.ts';

export interface WatchedList {
  /** The path of a list, without a query. */
  path: string;
  /** Reads the metadata of the objects only. */
  metadataOnly?: boolean;
}

/** A change of a watch: it could not read the server, or it can again. */
export type WatchChange =
  | { state: 'failed'; reason: string; path: string }
  | { state: 'restored'; path: string };

export interface WatchDeps {
  api: Api;
  lists: readonly WatchedList[];
  onChange(change: WatchChange): void;
  /** After this time everything is listed again, so a change that a watch missed is found. Default: 180. */
  cycleSeconds?: number;
  /** How long the server may stay silent after it should have ended a watch. Default: 10. */
  patienceSeconds?: number;
  /** The longest pause between two attempts. Default: 30,000. */
  maxPauseMs?: number;
}

type Watched = { metadata: KubernetesMetadata };

const textOf = ({ namespace, name }: ObjectKey) => `${namespace}/${name}`;

/**
 * Keeps a copy of some lists. Each list is a loop of its own: it lists everything, watches from there until the server
 * ends the watch after `cycleSeconds`, and begins again. Every fault ends the round and leads to a complete list:
 * an expired version (410), an error, a cut connection, and a connection that is silent for too long.
 */
export function createWatch<Object extends Watched>(deps: WatchDeps): KubernetesWatch<Object> {
  const { lists, maxPauseMs = 30_000 } = deps;
  const stopping = new AbortController();
  const copies = lists.map(() => new Map<string, Object>());
  const listed = lists.map(() => false);
  let running: Promise<unknown> | undefined;

  const follow = async (at: number, changed: (key: ObjectKey) => void) => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        const version = await list(
          deps,
          lists[at] as WatchedList,
          copies[at] as Map<string, Object>,
          changed,
        );
        listed[at] = true;
        if (failures > 0) deps.onChange({ state: 'restored', path: (lists[at] as WatchedList).path });
        failures = 0;
        await watch(
          deps,
          lists[at] as WatchedList,
          copies[at] as Map<string, Object>,
          version,
          changed,
          stopping.signal,
        );
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        const reason = error instanceof Error ? reasonOf(error) : String(error);
        deps.onChange({ state: 'failed', reason, path: (lists[at] as WatchedList).path });
        const most = Math.min(maxPauseMs, 250 * 2 ** Math.min(failures, 10));
        await pause(most * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };

  return {
    start: (changed) => {
      const safely = (key: ObjectKey) => {
        try {
          changed(key);
        } catch {
          // The copy is right already. The caller finds the object at its next look.
        }
      };
      running ??= Promise.all(lists.map((_, at) => follow(at, safely)));
    },
    complete: () => listed.every(Boolean),
    find: (key) => copies.map((copy) => copy.get(textOf(key))).find((object) => object !== undefined),
    all: () => copies.flatMap((copy) => [...copy.values()]),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;

const pageSize = 500;

const acceptedType = (metadata: string, metadataOnly = false) =>
  metadataOnly ? `application/json;as=${metadata};g=meta.k8s.io;v=v1` : 'application/json';

/** Reads the whole list into the copy, and reports what is different. Gives the version from which to watch. */
async function list<Object extends Watched>(
  { api }: WatchDeps,
  { path, metadataOnly }: WatchedList,
  copy: Map<string, Object>,
  changed: (key: ObjectKey) => void,
): Promise<string> {
  const accept = acceptedType('PartialObjectMetadataList', metadataOnly);
  const found = new Map<string, Object>();
  let next: string | undefined;
  let version = '';
  do {
    const query = new URLSearchParams({ limit: String(pageSize), ...(next && { continue: next }) });
    const answer = await api.call({ method: 'GET', path: `${path}?${query}`, accept });
    if (answer.status !== 200) throw refusal(answer);
    const { items, metadata } = answer.body as {
      /** Null instead of an empty list of metadata. */
      items: Object[] | null;
      metadata: { resourceVersion: string; continue?: string };
    };
    for (const item of items ?? []) found.set(textOf(item.metadata), item);
    version = metadata.resourceVersion;
    next = metadata.continue;
  } while (next);
  for (const [key, object] of copy) {
    if (found.has(key)) continue;
    copy.delete(key);
    changed(object.metadata);
  }
  for (const [key, object] of found) {
    const before = copy.get(key);
    copy.set(key, object);
    if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) changed(object.metadata);
  }
  return version;
}

/** Follows the changes after `version` until the server ends the watch. */
async function watch<Object extends Watched>(
  { api, cycleSeconds = 180, patienceSeconds = 10 }: WatchDeps,
  { path, metadataOnly }: WatchedList,
  copy: Map<string, Object>,
  version: string,
  changed: (key: ObjectKey) => void,
  stopping: AbortSignal,
): Promise<void> {
  // Jitter, so that many watches that started together don't list together.
  const timeoutSeconds = Math.ceil(cycleSeconds * (0.75 + Math.random() / 4));
  const query = new URLSearchParams({
    watch: 'true',
    resourceVersion: version,
    timeoutSeconds: String(timeoutSeconds),
  });
  const take = (line: string) => {
    const { type, object } = JSON.parse(line) as { type: string; object: Object };
    // Most often 410: the server does not have the changes since this version any more.
    if (type === 'ERROR') throw refusal({ status: Number((object as { code?: number }).code), body: object });
    const key = textOf(object.metadata);
    if (type === 'DELETED') copy.delete(key);
    else copy.set(key, object);
    changed(object.metadata);
  };
  await api.lines(
    {
      method: 'GET',
      path: `${path}?${query}`,
      accept: acceptedType('PartialObjectMetadata', metadataOnly),
      timeoutMs: (timeoutSeconds + patienceSeconds) * 1000,
    },
    take,
    stopping,
  );
}
