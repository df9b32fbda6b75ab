import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { createApi } from '../../../adapters/kubernetes/api.ts';
import { createWatch, type WatchChange } from '../../../adapters/kubernetes/watch.ts';
import { waitFor } from '../../support/wait-for.ts';

const object = (name: string, version: string) => ({
  metadata: { namespace: 'shop', name, uid: name, resourceVersion: version },
});

type Answer = (response: ServerResponse, url: URL) => void;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A server that answers lists and watches as the test says, for what a real API server never does on request. */
async function open({ list, watch }: { list: Answer; watch: Answer }) {
  const lists: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (url.searchParams.has('watch')) return watch(response, url);
    lists.push(url);
    return list(response, url);
  }).listen(0, '127.0.0.1');
  await waitFor(() => server.listening);
  const config = new KubeConfig();
  const cluster = {
    name: 'test',
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    skipTLSVerify: true,
  };
  config.loadFromClusterAndUser(cluster, { name: 'test' });
  const changes: WatchChange[] = [];
  const watched = createWatch({
    api: createApi(config),
    lists: [{ path: '/apis/things' }],
    onChange: (change) => changes.push(change),
    cycleSeconds: 1,
    patienceSeconds: 0.2,
    maxPauseMs: 20,
  });
  const seen: string[] = [];
  ends.push(async () => {
    await watched.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { watched, changes, lists, seen, start: () => watched.start(({ name }) => seen.push(name)) };
}

const json = (response: ServerResponse, body: object, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const listOf = (version: string, ...items: object[]) => ({ metadata: { resourceVersion: version }, items });

/** Answers a watch and keeps it open. */
const stayOpen: Answer = (response) => {
  response.writeHead(200).flushHeaders();
};

test('a list is read page by page, and the watch begins where the list ended', async () => {
  const from: (string | null)[] = [];
  const { watched, start, seen } = await open({
    list: (response, url) =>
      url.searchParams.get('continue') === 'more'
        ? json(response, listOf('7', object('b', '2')))
        : json(response, { metadata: { resourceVersion: '7', continue: 'more' }, items: [object('a', '1')] }),
    watch: (response, url) => {
      from.push(url.searchParams.get('resourceVersion'));
      stayOpen(response, url);
    },
  });
  expect(watched.complete()).toBe(false);
  start();
  await waitFor(() => from.length > 0);
  expect(watched.complete()).toBe(true);
  expect(from[0]).toBe('7');
  expect(seen).toEqual(['a', 'b']);
});

test('an empty list of metadata has no items, and is complete', async () => {
  const { watched, start, changes } = await open({
    list: (response) => void json(response, { metadata: { resourceVersion: '1' }, items: null }),
    watch: stayOpen,
  });
  start();
  await waitFor(() => watched.complete());
  expect(changes).toEqual([]);
});

test('what changed between two lists is reported: new, changed and missing objects, and no others', async () => {
  let round = 0;
  const { watched, start, seen } = await open({
    list: (response) => {
      round += 1;
      const items =
        round === 1
          ? [object('same', '1'), object('changed', '1'), object('gone', '1')]
          : [object('same', '1'), object('changed', '2'), object('new', '1')];
      json(response, listOf('9', ...items));
    },
    // The server ends the first watch at once.
    watch: (response, url) => (round === 1 ? void response.writeHead(200).end() : stayOpen(response, url)),
  });
  start();
  await waitFor(() => round === 2 && watched.find({ namespace: 'shop', name: 'new' }));
  expect(seen).toEqual(['same', 'changed', 'gone', 'gone', 'changed', 'new']);
  expect(watched.all()).toHaveLength(3);
});

test('a handler that throws ends nothing: the copy is right, and later changes arrive', async () => {
  const { watched } = await open({
    list: (response) => void json(response, listOf('1', object('a', '1'), object('b', '1'))),
    watch: (response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ type: 'ADDED', object: object('c', '2') })}\n`);
      response.write(`${JSON.stringify({ type: 'DELETED', object: object('a', '3') })}\n`);
    },
  });
  const calls: string[] = [];
  watched.start(({ name }) => {
    calls.push(name);
    throw new Error('a fault of the caller');
  });
  await waitFor(() => calls.length === 4);
  expect(calls).toEqual(['a', 'b', 'c', 'a']);
  expect(watched.all().map(({ metadata }) => metadata.name)).toEqual(['b', 'c']);
});

test('a connection that goes silent without closing is given up after the time of the watch', async () => {
  let version = 1;
  const { watched, start, changes, lists } = await open({
    list: (response) => void json(response, listOf(String(version), object('a', String(version)))),
    watch: (response, url) => {
      version += 1;
      stayOpen(response, url);
    },
  });
  start();
  await waitFor(() => watched.find({ namespace: 'shop', name: 'a' })?.metadata.resourceVersion === '2');
  expect(lists.length).toBeGreaterThan(1);
  expect(changes.some(({ state }) => state === 'failed')).toBe(true);
});

test('a list that fails later leaves the copy as it is, and the recovery is reported once', async () => {
  let round = 0;
  const { watched, start, changes } = await open({
    list: (response) => {
      round += 1;
      if (round > 1 && round < 5) json(response, { message: 'broken' }, 500);
      else json(response, listOf('1', object('a', '1')));
    },
    watch: (response, url) => (round === 1 ? void response.writeHead(200).end() : stayOpen(response, url)),
  });
  start();
  await waitFor(() => changes.some(({ state }) => state === 'restored'));
  expect(changes.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed', 'restored']);
  expect(watched.all()).toHaveLength(1);
});

test('an expired version (410) leads to another list', async () => {
  let round = 0;
  const gone = { type: 'ERROR', object: { code: 410, message: 'too old resource version' } };
  const { start, watched, lists } = await open({
    list: (response) => {
      round += 1;
      json(response, listOf(String(round), object('a', String(round))));
    },
    watch: (response, url) =>
      round === 1 ? void response.writeHead(200).end(`${JSON.stringify(gone)}\n`) : stayOpen(response, url),
  });
  start();
  await waitFor(() => watched.find({ namespace: 'shop', name: 'a' })?.metadata.resourceVersion === '2');
  expect(lists).toHaveLength(2);
});
