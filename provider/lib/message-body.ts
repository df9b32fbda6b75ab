import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { type FieldProblem, GatehouseError } from './errors.ts';

/**
 * @returns the whole body; `payload_too_large` past `limitBytes`, before the rest is read; `invalid_request` when
 *   the connection ends before the body does; `unsupported_media_type` when it is compressed
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  refuseCompression(request);
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes);
  // Events cost less than an iterator does.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const refuse = (error: GatehouseError) => {
      request.removeAllListeners('data');
      // The rest stays unread, so the connection is still there for the response.
      request.pause();
      reject(error);
    };
    const cut = (cause?: unknown) =>
      refuse(new GatehouseError('invalid_request', 'The request ended before its body did.', { cause }));
    if (request.destroyed) return cut();
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > limitBytes) refuse(tooLarge(limitBytes));
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks, received)));
    request.once('error', cut);
    request.once('close', () => {
      if (!request.complete) cut();
    });
  });
}

const mostDiscarded = 2 * 1024 * 1024;

/**
 * Reads the rest of a body and discards it, up to 2 MiB. Most clients read the response only after they have sent the
 * whole body. Without this, a client whose body is too large would see a broken connection and not the reason.
 */
export async function discardRest(request: IncomingMessage): Promise<void> {
  let left = mostDiscarded;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      left -= chunk.length;
      if (left < 0) return;
    }
  } catch {
    // The connection was closed, so no client waits for the response.
  }
}

const tooLarge = (limitBytes: number) =>
  new GatehouseError('payload_too_large', `Send at most ${Math.floor(limitBytes / 1024)} KiB.`);

/** A small compressed body can become very large, so bodies are never decompressed (RFC 9110 §8.4, RFC 9112 §7). */
function refuseCompression({ headers }: IncomingMessage): void {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  const transfer = headers['transfer-encoding']?.trim().toLowerCase() ?? '';
  if (/^(identity)?$/.test(coding) && /^(chunked)?$/.test(transfer)) return;
  throw new GatehouseError('unsupported_media_type', 'Send the body as it is, without compression.');
}

/** The media type without parameters, in lower case (RFC 9110 §8.3.1). */
function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Refuses other charsets: decoding them as UTF-8 would change characters without an error. */
function refuseOtherCharset(request: IncomingMessage): void {
  const { charset } =
    /;\s*charset="?(?<charset>[^\s";]*)/i.exec(request.headers['content-type'] ?? '')?.groups ?? {};
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset))
    throw new GatehouseError('unsupported_media_type', 'Send the body in UTF-8.');
}

/** Reads a JSON body (RFC 8259, UTF-8) and checks it; `pointer`s name the fields that are wrong. */
export async function readJson<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  limitBytes: number,
): Promise<T> {
  if (mediaType(request) !== 'application/json')
    throw new GatehouseError('unsupported_media_type', 'Send JSON, with Content-Type: application/json.');
  refuseOtherCharset(request);
  const text = utf8(await readBody(request, limitBytes));
  const value = text === undefined ? undefined : parseJson(text);
  if (value === undefined) throw new GatehouseError('invalid_json', "The body isn't valid JSON in UTF-8.");
  return check(schema, value);
}

/**
 * @returns a form (application/x-www-form-urlencoded, UTF-8) unchanged. A request without a body needs no Content-Type;
 *   `unsupported_media_type` for anything else
 */
export async function readFormBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const type = mediaType(request);
  if (type !== '' && type !== formType) throw noForm();
  refuseOtherCharset(request);
  const body = await readBody(request, limitBytes);
  if (type === '' && body.length > 0) throw noForm();
  if (!isUtf8(body)) throw new GatehouseError('invalid_request', "The form isn't in UTF-8.");
  return body;
}

const formType = 'application/x-www-form-urlencoded';

const noForm = () => new GatehouseError('unsupported_media_type', `Send a form (${formType}).`);

/** Reads a form and checks it. A field sent twice is refused. */
export async function readForm<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  limitBytes: number,
): Promise<T> {
  const parameters = new URLSearchParams((await readFormBody(request, limitBytes)).toString('utf8'));
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length)
    throw new GatehouseError('invalid_request', 'A field was sent more than once.');
  return check(schema, Object.fromEntries(parameters));
}

/** Makes the next reader of the request get this body: the body that was read, or a replacement. */
export function replayBody(request: IncomingMessage, body: Buffer): void {
  delete request.headers['transfer-encoding'];
  request.headers['content-length'] = String(body.length);
  Object.defineProperty(request, 'readable', { value: true });
  Object.defineProperty(request, 'iterator', { value: () => [body].values() });
}

/** Checks untrusted input by its schema; `validation_failed` names every field that is wrong. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields: FieldProblem[] = result.error.issues.map((issue) => ({
    pointer: pointerOf(issue.path),
    message: issue.message,
  }));
  throw new GatehouseError('validation_failed', "Some fields aren't right; see 'errors'.", { fields });
}

const pointerOf = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** @returns the text without a byte order mark; undefined for other bytes than UTF-8 */
const utf8 = (bytes: Buffer): string | undefined =>
  isUtf8(bytes) ? bytes.toString('utf8').replace(/^\uFEFF/, '') : undefined;

/**
 * Drops `__proto__`. JSON.parse treats it as a normal name, but code that copies objects does not. The function that does
 * so also refuses text that is nested too deep for other code. It costs more than the parsing, so it is left out for a flat
 * object that can't contain the name.
 */
function parseJson(text: string): unknown {
  const isNested = text.lastIndexOf('{') > 0 || text.includes('[');
  const mayNameIt = text.includes('__proto__') || text.includes('\\');
  const drop = (key: string, value: unknown) => (key === '__proto__' ? undefined : value);
  try {
    return JSON.parse(text, isNested || mayNameIt ? drop : undefined);
  } catch {
    return undefined;
  }
}

/** @returns the ETag of a body (RFC 9110 §8.8.3), by its SHA-256 */
export const etagOf = (body: string): string =>
  `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

/** Answers a request without a framework. It rejects, with nothing sent, where an error must be answered. */
export type PlainHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Sends a whole response. Node leaves the body out for HEAD (RFC 9110 §9.3.2). @param body JSON, unless `type` says otherwise */
export function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'application/json; charset=utf-8',
): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

/** Sends a response without a body, which has no media type (RFC 9110 §8.3). */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}
