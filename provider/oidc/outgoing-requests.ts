import { lookup as resolveName } from 'node:dns';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, BlockList, isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import type { Provider } from 'oidc-provider';
import type { PrivateDestinations } from '../config/addresses.ts';
import { fetchAsLibrary, isSpecialUseIP } from './patches/internals.ts';

/** A `fetch` as oidc-provider calls it: with headers, a time limit, and its guard as the dispatcher. */
type Fetch = (url: string, options: RequestInit) => Promise<Response>;

export interface OutgoingRequestsDeps {
  /** GATEHOUSE_OUTGOING_PRIVATE_HOSTS. */
  destinations: PrivateDestinations;
  /** Whether a client from our configuration names this URL. A client that registered itself does not count. */
  isConfigured(url: string): boolean;
}

/** An address without the brackets that a URL has around IPv6. */
const plainHost = (url: URL) => url.hostname.replace(/^\[(.*)\]$/, '$1');

function blockListOf({ ranges }: PrivateDestinations): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of ranges) list.addSubnet(address, prefix, family);
  return list;
}

/** Gives only the allowed addresses of a name. The connection uses this answer, so no later answer can replace it. */
const lookupWithin =
  (isAllowed: (address: string, family: number) => boolean): LookupFunction =>
  (hostname, options, done) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses = []) => {
      const allowed = addresses.filter(({ address, family }) => isAllowed(address, family));
      const [first] = allowed;
      if (error ?? !first) {
        done(error ?? Object.assign(new Error('no allowed address'), { code: 'ENOTALLOWED' }), '', 0);
      } else if (options.all) done(null, allowed);
      else done(null, first?.address ?? '', first?.family);
    });
  };

/** One request without redirects: an allowed host must not lead to one that is not allowed. */
function send(
  url: URL,
  { method, headers, signal, body }: RequestInit,
  lookup: LookupFunction,
): Promise<Response> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = {
      method: method ?? 'GET',
      headers: Object.fromEntries(new Headers(headers)),
      lookup,
      ...(signal && { signal }),
    };
    const sent = request(url, options, (answer: IncomingMessage) => {
      const { statusCode: status = 502, headersDistinct } = answer;
      const received = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
        values.map((value): [string, string] => [name, value]),
      );
      const content = status === 204 || status === 304 ? null : (Readable.toWeb(answer) as ReadableStream);
      resolve(new Response(content, { status, headers: received }));
    });
    sent.on('error', reject);
    sent.end(body as string | undefined);
  });
}

/**
 * The `fetch` of oidc-provider. The library refuses private addresses (its dispatcher ends such connections). Requests to
 * hosts and ranges that the operator named go without this guard, if a client from the configuration names the URL. Such
 * a request follows no redirect.
 */
export function createOutgoingFetch({ destinations, isConfigured }: OutgoingRequestsDeps): Fetch {
  const ranges = blockListOf(destinations);
  const isInRange = (address: string, family: number) =>
    ranges.check(address, family === 6 ? 'ipv6' : 'ipv4');
  const anyAddress = lookupWithin(() => true);
  const addressInRange = lookupWithin(isInRange);

  /** Whether a name has an address in the ranges now. */
  const leadsIntoRange = (host: string) =>
    new Promise<boolean>((resolve) =>
      addressInRange(host, { all: false }, (error) => resolve(error === null)),
    );

  return async (text, options) => {
    const url = new URL(text);
    const host = plainHost(url);
    const guarded = () => globalThis.fetch(text, options);
    if (!isConfigured(text)) return guarded();
    if (destinations.hosts.includes(host)) return send(url, options, anyAddress);
    if (destinations.ranges.length === 0) return guarded();
    const version = isIP(host);
    // A connection to an address asks no lookup, so the address is checked here.
    if (version !== 0) return isInRange(host, version) ? send(url, options, anyAddress) : guarded();
    return (await leadsIntoRange(host)) ? send(url, options, addressInRange) : guarded();
  };
}

/** The request was not sent: the address is not allowed. The message says what to do. */
export class DestinationRefused extends Error {}

/** Posts a form. Rejects with DestinationRefused, or with an error when there was no answer in time. */
export type OutgoingPost = (
  url: string,
  form: URLSearchParams,
  options: { mayBePrivate: boolean },
) => Promise<{
  status: number /** The `error` of a JSON body with the status 400. */;
  error?: string | undefined;
}>;

/** For the whole exchange, from the look-up of the name to the end of the answer. */
const mostPostMilliseconds = 5000;

/** More of an answer is not read. */
const mostAnswerBytes = 4096;

/** IPv6 can write every IPv4 address in another form, which the list of the library does not have. */
const isPublicAddress = (address: string) =>
  !isSpecialUseIP(address) && !address.toLowerCase().startsWith('::ffff:');

/**
 * Posts forms to clients. It follows no redirect and reads at most 4 KiB of the answer. It connects to a private address
 * only if the operator named it and `mayBePrivate` is set.
 */
export function createOutgoingPost({ hosts, ranges }: PrivateDestinations): OutgoingPost {
  const list = blockListOf({ hosts, ranges });
  const inRange = (address: string, family: number) => list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  return async (text, form, { mayBePrivate }) => {
    const url = new URL(text);
    const host = plainHost(url);
    const isNamed = mayBePrivate && hosts.includes(host);
    const isAllowed = (address: string, family: number) =>
      isNamed || isPublicAddress(address) || (mayBePrivate && inRange(address, family));
    const version = isIP(host);
    // A connection to an address asks no lookup, so the address is checked here.
    if (version !== 0 && !isAllowed(host, version)) throw notAllowed(mayBePrivate);
    const signal = AbortSignal.timeout(mostPostMilliseconds);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const body = form.toString();
    let answer: IncomingMessage | undefined;
    try {
      answer = await post(url, { headers, signal, lookup: lookupWithin(isAllowed) }, body);
      const { statusCode: status = 0 } = answer;
      return { status, error: status === 400 ? errorCode(await textOf(answer)) : undefined };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTALLOWED') throw notAllowed(mayBePrivate);
      if (signal.aborted) throw new Error('the client did not answer in time');
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(`the client can't be reached: ${code ?? message}`);
    } finally {
      answer?.destroy();
    }
  };
}

const notAllowed = (mayBePrivate: boolean) =>
  new DestinationRefused(
    mayBePrivate
      ? 'the address is private: name it in GATEHOUSE_OUTGOING_PRIVATE_HOSTS of the process that does the jobs'
      : 'the address is private, and the client registered itself',
  );

/** Each request has a connection of its own: one that was opened before might lead to another address. */
function post(
  url: URL,
  options: { headers: Record<string, string>; signal: AbortSignal; lookup: LookupFunction },
  body: string,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { ...options.headers, 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, headers, method: 'POST', agent: false }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > mostAnswerBytes) return '';
  }
  return text;
}

/** The `error` of RFC 6749 §5.2, and no other text of the client: it could repeat the token, which must not be logged. */
function errorCode(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' && /^[\w.-]{1,60}$/.test(error) ? error : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Tries oidc-provider's guard on a listener of this process. The guard uses parts of Node that have no fixed names. When
 * it does not find them, the library only warns, and every client could make it send requests into the network of the
 * server.
 *
 * @throws Error when a request to a private address is not refused
 */
export async function checkOutgoingGuard(provider: Provider): Promise<void> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const refused = await fetchAsLibrary(provider, `http://127.0.0.1:${port}/`).then(
      () => false,
      () => true,
    );
    if (refused && requests === 0) return;
  } finally {
    server.closeAllConnections();
    server.close();
  }
  throw new Error(
    `Requests to private addresses are not refused on Node ${process.versions.node}: clients could make Gatehouse call services in its own network. Use a version of Node that this release was tested on: 20, 22 or 24.`,
  );
}
