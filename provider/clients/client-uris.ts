import { parseUrl, withoutLoopbackPort } from '../lib/parse-url.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a host, as `URL.hostname` writes it, is the loopback interface (RFC 8252 §7.3). */
const isLoopback = (hostname: string) => loopbackHosts.has(hostname);

// URL parsers silently repair bad input (tabs, backslashes, `https:host`). Redirect URIs are compared character by
// character, so a URI that a parser would repair is refused.
const uriCharacters = /^[a-z][a-z0-9+.-]*:[\x21\x23-\x3B\x3D\x3F-\x5B\x5D\x5F\x61-\x7A\x7E]+$/i;

function parseExact(value: string): URL | undefined {
  const url = uriCharacters.test(value) ? parseUrl(value) : undefined;
  if (url === undefined) return undefined;
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  if (isWeb && !/^https?:\/\/[^/]/i.test(value)) return undefined;
  return url;
}

/**
 * A hint for a URL with letters beyond ASCII: URIs have none (RFC 3986 §2), and browsers write their hosts in Punycode.
 */
function asciiProblem(value: string): string | undefined {
  const url = /^\p{ASCII}*$/u.test(value) ? undefined : parseUrl(value);
  return url && `must be written in ASCII, as browsers send it: ${url.href}`;
}

/**
 * Checks a URL that Gatehouse or a browser opens: https, or http on this machine.
 *
 * @returns what is wrong with it, or undefined
 */
export function webUriProblem(value: string): string | undefined {
  const url = parseExact(value);
  if (url === undefined)
    return asciiProblem(value) ?? 'must be an absolute URL such as https://app.example.com/path';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return undefined;
  return 'must start with https:// (http:// only on localhost, 127.0.0.1 or [::1])';
}

/**
 * Checks a back-channel logout URI (OpenID Connect Back-Channel Logout 1.0 §2.2): no fragment, and otherwise as any URL
 * that Gatehouse opens.
 *
 * @returns what is wrong with it, or undefined
 */
export function backchannelLogoutUriProblem(value: string): string | undefined {
  if (value.includes('#')) return 'must not contain a fragment: remove the # and what follows';
  return webUriProblem(value);
}

/**
 * Checks a redirect URI by the rules for every client (RFC 6749 §3.1.2, RFC 9700 §2.1).
 *
 * @returns what is wrong with it, or undefined
 */
export function redirectUriProblem(value: string): string | undefined {
  if (value.includes('*')) return 'must not contain a wildcard: list every URI by itself';
  const url = parseExact(value);
  if (url === undefined)
    return asciiProblem(value) ?? 'must be an absolute URI such as https://app.example.com/callback';
  if (value.includes('#')) return 'must not contain a fragment: remove the # and what follows';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  return undefined;
}

function nativeUriProblem(url: URL): string | undefined {
  if (url.protocol === 'https:') {
    return isLoopback(url.hostname)
      ? 'must use http:// on this machine: native apps claim https:// only on hosts of their own (RFC 8252 §7)'
      : undefined;
  }
  // Any app can register a scheme without a dot. The schemes `javascript:` and `data:` have no dot either.
  return url.protocol.includes('.')
    ? undefined
    : 'must use a scheme made of a domain name of yours, such as com.example.app:/callback (RFC 8252 §7.1)';
}

/**
 * Checks the scheme of a well-formed redirect URI for this type of application (RFC 8252 §7).
 *
 * @returns what is wrong with it, or undefined
 */
export function redirectSchemeProblem(value: string, applicationType: 'web' | 'native'): string | undefined {
  const url = parseExact(value);
  if (url === undefined) return undefined;
  if (url.protocol === 'http:') {
    return isLoopback(url.hostname)
      ? undefined
      : 'must use https:// (http:// only on localhost, 127.0.0.1 or [::1])';
  }
  if (applicationType === 'native') return nativeUriProblem(url);
  return url.protocol === 'https:'
    ? undefined
    : 'must use https://, or set "applicationType: native" for an app with a scheme of its own';
}

interface LoopbackPorts {
  anyLoopbackPort?: boolean | undefined;
  applicationType: 'web' | 'native';
}

/** A native app takes a free port (RFC 8252 §7.3), and its page may call from any. */
export const takesAnyLoopbackPort = ({ anyLoopbackPort, applicationType }: LoopbackPorts) =>
  anyLoopbackPort === true || applicationType === 'native';

/** Whether a browser may call from this origin, by the document of the client. */
export function isOriginOf(client: LoopbackPorts & { origins: readonly string[] }, origin: string): boolean {
  if (client.origins.includes(origin)) return true;
  const host = takesAnyLoopbackPort(client) ? withoutLoopbackPort(origin) : undefined;
  return host !== undefined && client.origins.some((listed) => withoutLoopbackPort(listed) === host);
}

/**
 * Checks that an origin is written exactly as browsers send it (RFC 6454 §6.2).
 *
 * @returns what is wrong with it, or undefined
 */
export function originProblem(value: string): string | undefined {
  if (value.includes('*')) return 'must not contain a wildcard: list every origin by itself';
  const problem = webUriProblem(value);
  if (problem !== undefined && asciiProblem(value) === undefined) return problem;
  const { origin } = new URL(value);
  return origin === value ? undefined : `must be an origin exactly as a browser sends it: ${origin}`;
}
