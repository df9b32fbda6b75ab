import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** What the OpenAPI document says of an endpoint. */
export interface EndpointDescription<Body = unknown> {
  method: 'get' | 'post';
  path: string;
  summary: string;
  description: string;
  /** Left out where there is no body. */
  body?: z.ZodType<Body>;
  /** `Bearer` where an access token is needed (RFC 6750). */
  security?: 'bearer';
  /** The parameters of the query, as OpenAPI writes them (§4.8.12). */
  parameters?: readonly object[];
  /** `headers` has the name of each header with its meaning. */
  success: {
    status: number;
    description: string;
    schema?: z.ZodType;
    headers?: Readonly<Record<string, string>>;
  };
  /** Codes of the problems it may answer with. */
  problems: readonly string[];
}

/** One endpoint of the JSON API: what routes it, checks its input, and describes it. */
export interface Endpoint<Body = unknown> extends EndpointDescription<Body> {
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
