import { parseUrl } from '../lib/parse-url.ts';

export interface PageHeadersOptions {
  /**
   * Addresses that a post of the page's form may be redirected to: redirect URIs as they were requested. Chromium
   * checks every redirect after a form post against `form-action`. This includes redirects from the client's callback
   * to its next page. If a page does not list an address, the browser blocks the redirect to it.
   */
  formAction?: readonly string[];
  /** The address of the page holds a token. Then no request of the page names the address, not even one to this server. */
  hidesAddress?: boolean | undefined;
  /** Whether the page loads our script. */
  hasScript?: boolean;
}

/** Schemes whose URI contains code or content and does not name a receiver. */
const notReceivers = new Set([
  'javascript:',
  'data:',
  'blob:',
  'filesystem:',
  'about:',
  'file:',
  'view-source:',
]);

/**
 * A host that CSP can express (CSP3 §2.3.1 host-part). The URL parser accepts `;`, `,` and `*` in a host, and these
 * would alter the header.
 */
const plainHost = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** Hosts that are safe but that CSP can't express: IPv6 literals and names with an underscore. */
const unspellableHost = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)$/;

function formActionSource(uri: string): string | undefined {
  const parsed = parseUrl(uri);
  if (parsed === undefined) return undefined;
  const { protocol, hostname, origin } = parsed;
  if (notReceivers.has(protocol)) return undefined;
  // The private scheme of a native app (RFC 8252 §7.1) has no origin, so only the scheme can be named. An https
  // callback often redirects to another origin (from `app.` to `www.`, or to a tenant's own domain). These origins are
  // not known in advance, so the scheme is named here too.
  if (protocol !== 'http:') return protocol;
  // http is allowed only for this machine (RFC 8252 §7.3), and only for the callback's own origin. A redirect from
  // there to another port is blocked. Only the source `http:` would allow it, but that would let a form post go to any
  // address without encryption.
  if (plainHost.test(hostname)) return origin;
  return unspellableHost.test(hostname) ? protocol : undefined;
}

/**
 * Returns the source expressions for `form-action` that allow a form post to end at these addresses. For http this is
 * the origin. For other schemes, and where CSP can't express the host, it is the scheme. Addresses that can't be parsed
 * or could alter the header are left out.
 */
function formActionSources(uris: readonly string[]): string[] {
  const sources = uris.map(formActionSource).filter((source) => source !== undefined);
  return ["'self'", ...new Set(sources)];
}

function contentSecurityPolicy({ formAction = [], hasScript = false }: PageHeadersOptions): string {
  return [
    "default-src 'none'",
    ...(hasScript ? ["script-src 'self'"] : []),
    "style-src 'self'",
    "img-src 'self' https:",
    `form-action ${formActionSources(formAction).join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/**
 * The headers of every page that a person sees. They forbid frames and caching, and scripts except
 * our own file on pages that load it. Such a page may not connect to anything, and inline scripts are forbidden.
 *
 * Two values are deliberately weaker than the strictest ones:
 * - `Referrer-Policy: same-origin` sends no referrer to other sites. Under `no-referrer`, browsers post forms with
 *   `Origin: null`. A page whose address is secret has `strict-origin`, which names the host only.
 * - `Cross-Origin-Opener-Policy` must stay `unsafe-none`. With every other value, a single-page application loses
 *   access to the popup in which it signs in. This includes `same-origin-allow-popups`, because that value applies to
 *   popups that our own page opens.
 */
export function pageHeaders(options: PageHeadersOptions = {}): Record<string, string> {
  return {
    'Content-Security-Policy': contentSecurityPolicy(options),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': options.hidesAddress ? 'strict-origin' : 'same-origin',
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'unsafe-none',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
  };
}
