import type { Sent } from '../../support/raw-http.ts';
import type { World } from './world.ts';

/** The beginning of every secret that a row sends. No answer and no log line may contain it. */
export const sentinel = 'sEnTiNeL';

/** A request, or bytes that may not be a request. */
export type Request = Sent | { raw: string | Buffer };

/** The expected answer, by its reader. */
export type Expected =
  /** A program at the JSON API: a problem document (RFC 9457). */
  | { to: 'program'; status: number; code: string; says: RegExp; pointers?: readonly string[] }
  /** A program whose bytes were no request: a problem document without a request id. */
  | { to: 'unparsed'; status: number; code: string; says: RegExp }
  /** A program at the protocol's endpoints (RFC 6749 §5.2). */
  | { to: 'client'; status: number; code: string; says: RegExp }
  /** A person, who gets an error page. */
  | { to: 'person'; status: number; code: string; says: RegExp }
  /** A person, who gets the form again. */
  | { to: 'form'; status: number; says: RegExp }
  /** The app, by redirect (RFC 6749 §4.1.2.1). */
  | { to: 'app'; code: string; says: RegExp }
  /** The sender of a request that is odd but accepted. */
  | { to: 'sender'; status: number; says: RegExp }
  /** The connection is closed without an answer. */
  | { to: 'none' };

/** One bad input and its expected answer. */
export interface BadInput {
  name: string;
  send: Request | ((world: World) => Request | Promise<Request>);
  expected: Expected;
}

type Problem = (status: number, code: string, says: RegExp, pointers?: readonly string[]) => Expected;
type Refusal = (status: number, code: string, says: RegExp) => Expected;

export const toProgram: Problem = (status, code, says, pointers) => ({
  to: 'program',
  status,
  code,
  says,
  ...(pointers ? { pointers } : {}),
});
export const toUnparsed: Refusal = (status, code, says) => ({ to: 'unparsed', status, code, says });
export const toClient: Refusal = (status, code, says) => ({ to: 'client', status, code, says });
export const toPerson: Refusal = (status, code, says) => ({ to: 'person', status, code, says });
export const formAgain = (status: number, says: RegExp): Expected => ({ to: 'form', status, says });
export const toApp = (code: string, says: RegExp): Expected => ({ to: 'app', code, says });
export const taken = (status: number, says: RegExp = /^/): Expected => ({ to: 'sender', status, says });

/** A JSON request. A string is sent unchanged. */
export const json = (path: string, body: unknown, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

/** A form request. A string is sent unchanged. */
export const form = (
  path: string,
  fields: Record<string, string> | string | Buffer,
  headers: Record<string, string> = {},
): Sent => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  body:
    typeof fields === 'string' || Buffer.isBuffer(fields) ? fields : new URLSearchParams(fields).toString(),
});

/** A page request of a browser. */
export const page = (path: string, headers: Record<string, string> = {}): Sent => ({
  path,
  headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...headers },
});
