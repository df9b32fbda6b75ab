import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** One endpoint of the JSON API: what routes it, checks its input, and describes it in the OpenAPI document. */
export interface Endpoint<Body = unknown> {
  method: 'get' | 'post';
  path: string;
  summary: string;
  description: string;
  /** Left out where there is no body. */
  body?: z.ZodType<Body>;
  /** `Bearer` where an access token is needed (RFC 6750). */
  security?: 'bearer';
  success: { status: number; description: string; schema?: z.ZodType };
  /** Codes of the problems it may answer with. */
  problems: readonly string[];
  handle(call: Call<Body>): Promise<unknown>;
}

/** One request to an endpoint. */
export interface Call<Body = unknown> {
  request: IncomingMessage;
  response: ServerResponse;
  body: Body;
  /** The token of the Authorization header, for endpoints with security; '' for others. */
  bearer: string;
}

/** Keeps the body's type between schema and handler; the table then holds endpoints of any body. */
export function endpoint<Body>(definition: Endpoint<Body>): Endpoint {
  return definition as Endpoint;
}
