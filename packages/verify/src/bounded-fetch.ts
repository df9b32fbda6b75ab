import { isObject } from './shape.ts';

/** Fetches a JSON object by GET. It must have this member. */
export type FetchDocument = (
  url: string,
  member: string,
  signal: AbortSignal,
) => Promise<Record<string, unknown>>;

/** As long as the largest key set that API Gateway accepts. */
const maxBytes = 150_000;
/** After a failure, no further request is sent for so long. Callers get the same failure in this time. */
const pauseMs = 2_000;

/**
 * Fetches documents with bounds: a largest size, no redirects, and a pause after a failure, so that many callers do not
 * send many requests to a server that is in trouble.
 */
export function createBoundedFetch(fetchImpl: typeof fetch): FetchDocument {
  let failure: { at: number; error: unknown } | undefined;
  return async (url, member, signal) => {
    if (failure && Date.now() < failure.at + pauseMs) throw failure.error;
    try {
      const headers = { accept: 'application/json, application/jwk-set+json' };
      const response = await fetchImpl(url, { headers, signal, redirect: 'error' });
      if (response.status !== 200) throw new Error(`${url} answered ${response.status} and not 200`);
      const document: unknown = JSON.parse(await readText(response, url));
      if (!isObject(document) || document[member] === undefined)
        throw new Error(`${url} answered no JSON object with the member ${member}`);
      failure = undefined;
      return document;
    } catch (error) {
      failure = { at: Date.now(), error };
      throw error;
    }
  };
}

async function readText({ body }: Response, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.byteLength;
    if (size > maxBytes) throw new Error(`${url} answered more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}
