import { z } from 'zod';
import type { UrlReading } from '../lib/connection-urls.ts';
import { parseUrl } from '../lib/parse-url.ts';
import { readSecretReference, secretForms } from '../lib/secret-reference.ts';
import { value } from './values.ts';

/** Whether a URL's host name can only mean this machine (RFC 6761 §6.3, RFC 5735, RFC 4291 §2.5.3). */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|[a-z0-9.-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function issuerProblem(text: string): string | undefined {
  const url = parseUrl(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'must be an https URL, such as https://login.example.com';
  }
  // A password with an unencoded slash looks like a path.
  if (text.includes('@')) return 'must not contain a user name or password';
  if (text.includes('?') || text.includes('#')) return 'must not have a query or fragment';
  if (text.endsWith('/')) return 'must not end in a slash';
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return 'must begin with https:// (http is for localhost, 127.0.0.1 and [::1] only)';
  }
  const written = url.origin + (url.pathname === '/' ? '' : url.pathname);
  // Verifiers compare `iss` character by character, and some of them normalise the configured URL first.
  return written === text ? undefined : `must be written in its normal form: ${written}`;
}

/** The host name of a URL, in ASCII and lower case. */
export const hostOf = (url: string): string => new URL(url).hostname;

export const domainName = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/;

/** Whether a host is a domain name and no IP address. The URL parser writes an IPv4 address as four numbers. */
export const isDomain = (host: string): boolean => domainName.test(host) && !/^[\d.]+$/.test(host);

/** The issuer's URL as OpenID Connect Discovery §3 and RFC 8414 §2 require it: https, or http on loopback. */
export function issuer() {
  return z
    .string()
    .superRefine((text, context) => {
      const message = issuerProblem(text);
      if (message) context.addIssue({ code: 'custom', message });
    })
    .describe('an https URL without trailing slash, query or fragment; http on loopback only');
}

/** Whether a text can be an audience: an absolute URI without a fragment (RFC 8707 §2). */
export function isAudience(text: string): boolean {
  return /^[\x21-\x22\x24-\x7e]+$/.test(text) && parseUrl(text) !== undefined;
}

export const audienceForm = 'an absolute URI without a fragment, such as https://api.example.com';

/** An API's identifier. */
export function audience() {
  return value(audienceForm, (text) => (isAudience(text) ? text : undefined));
}

/**
 * A connection URL, or a reference to a secret that holds one. The same reader is used when connecting, so what is allowed
 * here is what works there.
 */
export function connectionUrl(allowed: string, read: (text: string) => UrlReading<unknown>) {
  const reference = `a reference to one: ${Object.values(secretForms).join(' or ')}`;
  return z
    .string()
    .superRefine((text, context) => {
      if (readSecretReference(text) !== undefined) return;
      const reading = read(text);
      if (reading.ok) return;
      for (const problem of reading.problems) {
        const message = text.includes('://') ? problem : `${problem}, or ${reference}`;
        context.addIssue({ code: 'custom', message });
      }
    })
    .describe(
      `a URL like ${allowed}, with special characters in the password percent-encoded, or ${reference}`,
    );
}

/** A link for people: an https URL, or a mailto URL when an example of one is given. */
export function link(mailto?: `mailto:${string}`) {
  const example = 'an https URL, such as https://example.com/help';
  return value(mailto ? `${example}, or ${mailto}` : example, (text) => {
    const url = parseUrl(text);
    const isMail = mailto !== undefined && /^mailto:[^\s@?,]+@[^\s@?,]+$/i.test(text);
    if (isMail) return text;
    return url?.protocol === 'https:' && !url.username && !url.password ? url.href : undefined;
  });
}
