import { anonymousRecord } from '../ports/oidc-store.ts';
import type { LimitedRecord, LimitedRequest } from '../rate-limits/request-rules.ts';

/** A row of the table of public endpoints, and the kinds of rows. */

export interface Route {
  /** The path pattern, which is also the label in metrics and logs. `:name` matches one path segment. */
  label: string;
  /** Only where `label` alone does not describe the paths. */
  pattern?: RegExp;
  methods: readonly string[];
  /**
   * The format of errors. `protocol`: RFC 6749 §5.2. `api`: a problem document (RFC 9457). `page` and `static`: a page for
   * callers that prefer HTML, a problem document for others.
   */
  kind: 'page' | 'protocol' | 'api' | 'static';
  servedBy: 'library' | 'gatehouse';
  limit: Limit;
  /**
   * The largest body. `configured`: GATEHOUSE_BODY_LIMIT_KIB. `library`: that, or less where the library reads less.
   * `query`: what fits into a query, because the form is redirected to GET. `unread`: no body is read.
   */
  body: 'configured' | 'library' | 'query' | 'unread';
  /** The longest parameters in bytes, where they are stored before anybody has proved anything. */
  mostParameterBytes?: number;
  /** Which origins may read the response. `registered`: those in the documents of public clients. */
  cors: 'none' | 'any' | 'registered';
  /** The route exists only where this feature is switched on. */
  feature?: 'deviceFlow' | undefined;
}

/**
 * A rate limit that is counted before the request is handled, the file that counts later, or the reason why the route needs
 * no limit.
 */
export type Limit = CountedRoute | { own: string } | { none: string };

export type CountedRoute = Exclude<LimitedRequest, LimitedRecord>;

export const get = ['GET', 'HEAD'];
export const post = ['POST'];
export const preflight: Limit = {
  none: 'it is answered from the clients’ documents in memory; it reads and writes no store',
};
export const document: Limit = {
  none: 'it is made in memory, the same for every caller; it reads and writes no store',
};
export const redirected: Limit = {
  none: 'it redirects to GET, which is counted; it reads and writes no store',
};
/** The address is that of a gateway, which sends the requests of all its callers. */
export const gateway: Limit = {
  none: 'a gateway sends it for each request of all its callers; a made-up token is refused by its signature, and nothing is stored',
};
export const signInGuard: Limit = { own: 'rate-limits/sign-in-limits.ts' };
export const mailGuard: Limit = { own: 'rate-limits/mailed-proof-limits.ts' };

type Row = Omit<Route, 'servedBy'>;

export const library = (row: Row): Route => ({ ...row, servedBy: 'library' });

export const own = (row: Row): Route => ({ ...row, servedBy: 'gatehouse' });

/** An endpoint of the protocol that programs call by POST, with its preflight request. */
export function programs(label: string, limit: Limit, feature?: Route['feature']): Route[] {
  const row = { label, kind: 'protocol', cors: 'registered', feature } as const;
  return [
    library({ ...row, methods: post, limit, body: 'library' }),
    library({ ...row, methods: ['OPTIONS'], limit: preflight, body: 'unread' }),
  ];
}

/** A page of the library. */
export const libraryPage = (label: string, limit: Limit, feature?: Route['feature']): Route =>
  library({ label, methods: ['GET'], kind: 'page', limit, body: 'unread', cors: 'none', feature });

export const libraryForm = (label: string, limit: Limit, body: 'library' | 'query'): Route =>
  library({ label, methods: post, kind: 'page', limit, body, cors: 'none' });

export const short = (route: Route): Route => ({
  ...route,
  mostParameterBytes: anonymousRecord.mostParameterBytes,
});

export const shortOfDevice = (route: Route): Route => ({
  ...route,
  mostParameterBytes: anonymousRecord.mostDeviceParameterBytes,
});

export const page = (label: string, limit: Limit): Route =>
  own({ label, methods: get, kind: 'page', limit, body: 'unread', cors: 'none' });

export const form = (label: string, limit: Limit): Route =>
  own({ label, methods: post, kind: 'page', limit, body: 'configured', cors: 'none' });

/** An endpoint of the JSON API, with its preflight request. */
export const api = (method: 'GET' | 'POST', label: string, limit: Limit): Route[] => [
  own({
    label,
    methods: method === 'GET' ? get : post,
    kind: 'api',
    limit,
    body: method === 'GET' ? 'unread' : 'configured',
    cors: 'registered',
  }),
  own({ label, methods: ['OPTIONS'], kind: 'api', limit: preflight, body: 'unread', cors: 'registered' }),
];

/** The same endpoint without a body. */
export const unread = (route: Route): Route => ({ ...route, body: 'unread' });

export const published = (label: string, cors: 'any' | 'none', methods = get): Route =>
  own({ label, methods, kind: 'static', limit: document, body: 'unread', cors });
