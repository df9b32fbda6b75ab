import type { Sent } from '../../support/raw-http.ts';
import type { World } from './world.ts';

/** What every secret that a row sends begins with: it must be in no answer and in no log line. */
export const sentinel = 'sEnTiNeL';

/** What is sent: a request, or bytes that may be none. */
export type Request = Sent | { raw: string | Buffer };

/** How an answer looks to whom it is for. */
export type Told =
  /** A program at the JSON API: a problem document (RFC 9457). */
  | { to: 'program'; status: number; code: string; says: RegExp; pointers?: readonly string[] }
  /** A program whose request never became one: the same, without a request id. */
  | { to: 'nobody yet'; status: number; code: string; says: RegExp }
  /** A program at the protocol's endpoints (RFC 6749 §5.2). */
  | { to: 'client'; status: number; code: string; says: RegExp }
  /** A person, who gets an error page. */
  | { to: 'person'; status: number; code: string; says: RegExp }
  /** A person, who gets the form again. */
  | { to: 'form'; status: number; says: RegExp }
  /** The app, by redirect (RFC 6749 §4.1.2.1). */
  | { to: 'app'; code: string; says: RegExp }
  /** Whoever sent it got it through: odd, but allowed. */
  | { to: 'sender'; status: number; says: RegExp }
  /** The connection is closed without a word. */
  | { to: 'none' };

/** One bad input and what becomes of it. */
export interface BadInput {
  name: string;
  send: Request | ((world: World) => Request | Promise<Request>);
  told: Told;
}

type Problem = (status: number, code: string, says: RegExp, pointers?: readonly string[]) => Told;
type Refusal = (status: number, code: string, says: RegExp) => Told;

export const toProgram: Problem = (status, code, says, pointers) => ({
  to: 'program',
  status,
  code,
  says,
  ...(pointers ? { pointers } : {}),
});
export const toNobodyYet: Refusal = (status, code, says) => ({ to: 'nobody yet', status, code, says });
export const toClient: Refusal = (status, code, says) => ({ to: 'client', status, code, says });
export const toPerson: Refusal = (status, code, says) => ({ to: 'person', status, code, says });
export const formAgain = (status: number, says: RegExp): Told => ({ to: 'form', status, says });
export const toApp = (code: string, says: RegExp): Told => ({ to: 'app', code, says });
export const taken = (status: number, says: RegExp = /^/): Told => ({ to: 'sender', status, says });

/** JSON for the JSON API; a text goes as it is. */
export const json = (path: string, body: unknown, headers: Record<string, string> = {}): Sent => ({
  method: 'POST',
  path,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

/** A form for the protocol; a text goes as it is. */
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

/** What a browser asks for. */
export const page = (path: string, headers: Record<string, string> = {}): Sent => ({
  path,
  headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', ...headers },
});
