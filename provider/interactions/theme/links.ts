/**
 * An address fit for a link: http, https or a path on this server, in normal form; undefined for all else. Goes
 * by how a browser would read it, so `/\evil.example` and a tab inside `java script:` are no way around.
 */
export function linkTo(value: string | undefined): string | undefined {
  const here = 'http://here.invalid';
  if (value === undefined || !URL.canParse(value, here)) return undefined;
  const url = new URL(value, here);
  if (url.origin === here) return value.startsWith('/') ? url.href.slice(here.length) : undefined;
  return /^https?:/i.test(value) ? url.href : undefined;
}

/** The same for https alone. */
export function httpsOnly(value: string | undefined): string | undefined {
  const link = linkTo(value);
  return link?.startsWith('https://') ? link : undefined;
}

/** The host of an address, with its port. */
export function hostOf(value: string | undefined): string | undefined {
  return value !== undefined && URL.canParse(value) ? new URL(value).host : undefined;
}
