import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface CallOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

export interface CallAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * Sends one request on a new connection, with any headers and any request target. `fetch` can't set `Host` or use an
 * absolute URL as the request target.
 * @param target the request target, exactly as it is sent
 */
export function httpCall(origin: string, target: string, options: CallOptions = {}): Promise<CallAnswer> {
  const { hostname, port } = new URL(origin);
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path: target, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.once('error', reject);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
    });
    call.once('error', reject);
    call.end(body);
  });
}
