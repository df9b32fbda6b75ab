export interface PageHeadersOptions {
  /**
   * Addresses a post of the page's form may be redirected to: redirect URIs as they were requested. Chromium holds
   * every redirect after a form post against `form-action`, those of the client's callback to its next page
   * included, so a page that leaves one out is a dead end.
   */
  formAction?: readonly string[];
}

/** Schemes that would run or hold content instead of naming a receiver. */
const notReceivers = new Set([
  'javascript:',
  'data:',
  'blob:',
  'filesystem:',
  'about:',
  'file:',
  'view-source:',
]);

/** A host as CSP can write it (CSP3 §2.3.1 host-part). The URL parser lets `;`, `,` and `*` through. */
const plainHost = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** Hosts that are harmless but have no spelling in CSP: IPv6 literals, names with an underscore. */
const unspellableHost = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/;

function formActionSource(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, hostname, origin } = new URL(uri);
  if (notReceivers.has(protocol)) return undefined;
  // A native app's own scheme (RFC 8252 §7.1) has no origin: the scheme is all there is to name. An https callback
  // often leads on to another origin (`app.` to `www.`, a tenant's own domain), which nobody can list beforehand.
  if (protocol !== 'http:') return protocol;
  // http is for this machine alone (RFC 8252 §7.3): the callback's own origin. One that leads on to another port
  // stops there, since only `http:` would let it, and that lets a form go anywhere in the clear.
  if (plainHost.test(hostname)) return origin;
  return unspellableHost.test(hostname) ? protocol : undefined;
}

/**
 * The source expressions for `form-action` that let a form post end at these addresses: an origin for http,
 * else, and where CSP can't spell the host, the scheme. Addresses that can't be parsed or could alter the header
 * are left out.
 */
function formActionSources(uris: readonly string[]): string[] {
  const sources = uris.map(formActionSource).filter((source) => source !== undefined);
  return ["'self'", ...new Set(sources)];
}

function contentSecurityPolicy(uris: readonly string[]): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' https:",
    `form-action ${formActionSources(uris).join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/**
 * The headers of every page a person meets: nothing runs, nothing frames it, nothing keeps it.
 *
 * Two values are weaker than the strictest on purpose. `Referrer-Policy: same-origin` still tells no other site
 * anything, but under `no-referrer` browsers post forms with `Origin: null`. `Cross-Origin-Opener-Policy` has
 * to stay `unsafe-none`: every other value cuts a single-page application off from the popup it signs in with,
 * `same-origin-allow-popups` included, as that one speaks of the opener's own popups.
 */
export function pageHeaders(options: PageHeadersOptions = {}): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(options.formAction ?? []),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'unsafe-none',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
  };
}
