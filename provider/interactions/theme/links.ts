import { parseUrl } from '../../lib/parse-url.ts';

/**
 * Returns an address that is safe for a link, in normal form: http, https or a path on this server. Returns undefined
 * for all others. It parses the address as a browser does, so `/\evil.example` or a tab inside `java script:` can't
 * bypass the check.
 */
export function linkTo(value: string | undefined): string | undefined {
  const here = 'http://here.invalid';
  const url = value === undefined ? undefined : parseUrl(value, here);
  if (value === undefined || url === undefined) return undefined;
  if (url.origin === here) return value.startsWith('/') ? url.href.slice(here.length) : undefined;
  return /^https?:/i.test(value) ? url.href : undefined;
}

/** Does the same as `linkTo`, but allows only https. */
export function httpsOnly(value: string | undefined): string | undefined {
  const link = linkTo(value);
  return link?.startsWith('https://') ? link : undefined;
}

/** Returns the host of an address, with its port. */
export function hostOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseUrl(value)?.host;
}
