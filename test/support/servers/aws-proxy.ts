import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request of the AWS SDK. */
export interface AwsRequest {
  /** Such as `GetSecretValue`. */
  operation: string;
  body: Record<string, unknown>;
}

/** What the proxy does with a request: pass it on, answer with an error of AWS, or never answer. */
export type AwsFault = 'pass' | 'hang' | { status: number; type: string; message?: string };

export interface AwsProxy {
  url: string;
  /** All requests since the start, in order. */
  requests: AwsRequest[];
  /** Decides about each later request. The default passes all on. */
  decide(fault: (request: AwsRequest) => AwsFault | Promise<AwsFault>): void;
  close(): Promise<void>;
}

function fail(response: ServerResponse, { status, type, message = '' }: Exclude<AwsFault, string>): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify({ __type: type, message }));
}

/** Starts a proxy in front of an emulator of AWS, for the faults that the emulator can't make. */
export async function openAwsProxy(target: string): Promise<AwsProxy> {
  const requests: AwsRequest[] = [];
  let decide: (request: AwsRequest) => AwsFault | Promise<AwsFault> = () => 'pass';
  const server = createServer(async (incoming, response) => {
    const body = await text(incoming);
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
    const request = { operation, body: JSON.parse(body || '{}') };
    requests.push(request);
    const fault = await decide(request);
    if (fault === 'hang') return;
    if (fault !== 'pass') return fail(response, fault);
    const headers = Object.entries(incoming.headers).filter(([name]) =>
      /^(x-amz-|content-type|auth)/.test(name),
    );
    const answer = await fetch(target, {
      method: 'POST',
      headers: headers.map(([name, value]) => [name, String(value)] as [string, string]),
      body,
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    decide: (fault) => {
      decide = fault;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
