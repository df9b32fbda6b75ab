import type { IncomingMessage, ServerResponse } from 'node:http';

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
