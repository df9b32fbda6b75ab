import { lookup as resolveName } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isSpecialUseIP } from './patches/internals.ts';

/** The longest document that is read. The draft for client id metadata documents recommends 5 KB (§8.7). */
const mostBytes = 8 * 1024;

/** For the whole exchange, from the look-up of the name to the last byte. */
const mostMilliseconds = 3000;

/** A JSON document of a public web server. */
export interface PublicDocument {
  text: string;
  /** How long it is fresh by its own `Cache-Control` or `Expires` (RFC 9111 §4.2.1). Undefined when it does not say. */
  maxAgeSeconds: number | undefined;
}

/** The document could not be fetched. The message says why, without anything that the server sent. */
export class DocumentNotFetched extends Error {
  /** Whether a later request may succeed: the server did not answer, or said that it has a problem of its own. */
  readonly isTemporary: boolean;

  constructor(message: string, { isTemporary, cause }: { isTemporary: boolean; cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.isTemporary = isTemporary;
  }
}

const refused = (message: string) => new DocumentNotFetched(message, { isTemporary: false });

/**
 * Resolves a name only when all its addresses are public. The connection uses this answer, so no later answer can replace
 * it, and no connection to a private address is ever opened.
 */
const lookupPublic: LookupFunction = (hostname, options, done) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses = []) => {
    const [first] = addresses;
    if (error ?? !first) done(error, '', 0);
    else if (addresses.some(({ address }) => isSpecialUseIP(address)))
      done(refused('its host has a private address') as NodeJS.ErrnoException, '', 0);
    else if (options.all) done(null, addresses);
    else done(null, first?.address ?? '', first?.family);
  });
};

/** A connection is used once: no state of one host is left for the next request. */
const agent = new Agent({ keepAlive: false });

function open(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'user-agent': 'Gatehouse' };
    const sent = request(url, { agent, headers, signal, lookup: lookupPublic }, resolve);
    sent.on('error', reject);
    sent.end();
  });
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw refused(`it has more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function maxAgeOf({ headers }: IncomingMessage, now: number): number | undefined {
  const control = headers['cache-control'] ?? '';
  if (/\bno-(store|cache)\b/i.test(control)) return 0;
  const seconds = /(?:^|[,\s])max-age\s*=\s*"?(\d{1,10})/i.exec(control)?.[1];
  if (seconds !== undefined) return Number(seconds);
  const expires = Date.parse(headers.expires ?? '');
  return Number.isNaN(expires) ? undefined : Math.max(0, Math.floor((expires - now) / 1000));
}

/**
 * Fetches a JSON document from a public web server by https. It follows no redirect and never connects to a private
 * address, also not to those of GATEHOUSE_OUTGOING_PRIVATE_HOSTS. The host must be a name. The document must be complete within three seconds.
 *
 * @param now milliseconds since the epoch
 * @throws DocumentNotFetched
 */
export async function fetchPublicDocument(url: string, now: number): Promise<PublicDocument> {
  // A connection to an address asks no lookup, so `lookupPublic` would not see it.
  if (isIP(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')) !== 0)
    throw refused('its host is an address: it must be a name');
  const signal = AbortSignal.timeout(mostMilliseconds);
  let answer: IncomingMessage | undefined;
  try {
    answer = await open(url, signal);
    const { statusCode: status = 0, headers } = answer;
    if (status >= 300 && status < 400) throw refused(`its host answers with a redirect (${status})`);
    if (status !== 200)
      throw new DocumentNotFetched(`its host answers with the status ${status}`, {
        isTemporary: status >= 500 || status === 429 || status === 408,
      });
    if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(headers['content-type'] ?? ''))
      throw refused('its Content-Type is not application/json');
    return { text: await bodyOf(answer), maxAgeSeconds: maxAgeOf(answer, now) };
  } catch (error) {
    if (error instanceof DocumentNotFetched) throw error;
    const reason = signal.aborted ? 'its host does not answer in time' : 'its host can’t be reached';
    throw new DocumentNotFetched(reason, { isTemporary: true, cause: error });
  } finally {
    answer?.destroy();
  }
}
