import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { type FieldProblem, GatehouseError } from './errors.ts';

/**
 * @returns the whole body; `payload_too_large` past `limitBytes`, told before the rest is read; `invalid_request` when
 *   the connection ends before it does
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes);
  const chunks: Buffer[] = [];
  let received = 0;
  try {
    for await (const chunk of request) {
      received += chunk.length;
      if (received > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    throw new GatehouseError('invalid_request', 'The request ended before its body did.', { cause });
  }
  return Buffer.concat(chunks, received);
}

const tooLarge = (limitBytes: number) =>
  new GatehouseError('payload_too_large', `Send at most ${Math.floor(limitBytes / 1024)} KiB.`);

/** The media type without parameters, in lower case (RFC 9110 §8.3.1). */
function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Reads a JSON body (RFC 8259, UTF-8) and checks it; `pointer`s name the fields that are wrong. */
export async function readJson<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  limitBytes: number,
): Promise<T> {
  if (mediaType(request) !== 'application/json')
    throw new GatehouseError('unsupported_media_type', 'Send JSON, with Content-Type: application/json.');
  const text = utf8(await readBody(request, limitBytes));
  const value = text === undefined ? undefined : parseJson(text);
  if (value === undefined) throw new GatehouseError('invalid_json', "The body isn't valid JSON in UTF-8.");
  return check(schema, value);
}

/** Reads a form (application/x-www-form-urlencoded) and checks it. A field sent twice is refused. */
export async function readForm<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  limitBytes: number,
): Promise<T> {
  if (mediaType(request) !== 'application/x-www-form-urlencoded')
    throw new GatehouseError('unsupported_media_type', 'Send a form (application/x-www-form-urlencoded).');
  const parameters = new URLSearchParams((await readBody(request, limitBytes)).toString('utf8'));
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length)
    throw new GatehouseError('invalid_request', 'A field was sent more than once.');
  return check(schema, Object.fromEntries(parameters));
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

function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `__proto__` is a name like any other to JSON.parse, but not to code that copies objects: it is dropped. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value));
  } catch {
    return undefined;
  }
}
