import { parseUrl } from '../lib/parse-url.ts';

/**
 * Client ids that are URLs (draft-ietf-oauth-client-id-metadata-document §3). An id must be in the one spelling that URL
 * parsers give it, so that two spellings of one URL are never two clients. Ids have no query, because the draft advises
 * against it, and no port, because the settings allow hosts.
 */
const spelling = /^https:\/\/([a-z0-9.-]+)\/[A-Za-z0-9._~/%-]+$/;

/** The command line, log lines and tokens have room for so many characters. */
const longest = 255;

/** Whether this text can only be meant as a URL. The ids of client documents have no colon. */
export const isUrl = (id: string): boolean => id.startsWith('https://');

/** The host of a client id that is a URL, and undefined for any other id. */
export const hostOfClientId = (id: string): string | undefined => spelling.exec(id)?.[1];

/**
 * Checks a URL that is used as a client id.
 *
 * @param allowed host names; `*.example.com` stands for every host below example.com
 * @returns what is wrong with it, or undefined
 */
export function clientIdUrlProblem(id: string, allowed: readonly string[]): string | undefined {
  const host = hostOfClientId(id);
  if (id.length > longest) return `must have at most ${longest} characters`;
  if (host === undefined || parseUrl(id)?.href !== id)
    return 'must be written as https://host/path, in lower case up to the path, without port, query, fragment and dot segments';
  const isAllowed = allowed.some((pattern) =>
    pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern,
  );
  return isAllowed ? undefined : 'is on a host whose apps are not allowed here';
}
