import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of the AWS SDK. */
export interface AwsCall {
  /** The operation, such as `PutEvents`. */
  operation: string;
  body: string;
}

/** An answer of AWS. */
export interface AwsAnswer {
  status: number;
  body: string;
}

/**
 * What happens to a call. `forward` sends it to the emulator, and may be called once. Without an answer, the connection
 * is closed.
 */
export type Treatment = (
  call: AwsCall,
  forward: (body?: string) => Promise<AwsAnswer>,
) => Promise<AwsAnswer | undefined>;

export interface AwsProxy {
  url: string;
  /** The calls so far, in order. */
  calls: AwsCall[];
  /** Decides what happens to calls from now on. Without a treatment, calls are forwarded. */
  treat(treatment: Treatment | undefined): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of an AWS emulator. It makes the faults that the emulator cannot make. */
export async function startAwsProxy(emulator: string): Promise<AwsProxy> {
  const calls: AwsCall[] = [];
  let treatment: Treatment | undefined;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const call = {
      operation: String(request.headers['x-amz-target']).split('.').at(-1) ?? '',
      body: await textOf(request),
    };
    calls.push(call);
    const forward = async (body = call.body) => {
      const headers = { ...request.headers } as Record<string, string>;
      for (const name of ['host', 'connection', 'content-length']) delete headers[name];
      const answer = await fetch(`${emulator}${request.url}`, { method: 'POST', headers, body });
      return { status: answer.status, body: await answer.text() };
    };
    const answer = await (treatment ?? ((_, send) => send()))(call, forward);
    if (answer === undefined) return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(answer.body);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    treat: (next) => {
      treatment = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The answer with which AWS refuses a whole call. */
export const awsError = (name: string, message: string, status = 400): AwsAnswer => ({
  status,
  body: JSON.stringify({ __type: name, message }),
});

/** A request of the AWS SDK, with its body as JSON. */
export interface AwsRequest {
  /** Such as `GetSecretValue`. */
  operation: string;
  body: Record<string, unknown>;
}

/** What the proxy does with a request: pass it on, answer with an error of AWS, or never answer. */
export type AwsFault = 'pass' | 'hang' | { status: number; type: string; message?: string };

export interface DecidingProxy {
  url: string;
  /** All requests since the start, in order. */
  requests: AwsRequest[];
  /** Decides about each later request. The default passes all on. */
  decide(fault: (request: AwsRequest) => AwsFault | Promise<AwsFault>): void;
  close(): Promise<void>;
}

/** The same proxy for tests that choose one fault for each request. */
export async function openAwsProxy(emulator: string): Promise<DecidingProxy> {
  const requests: AwsRequest[] = [];
  let decide: (request: AwsRequest) => AwsFault | Promise<AwsFault> = () => 'pass';
  const proxy = await startAwsProxy(emulator);
  proxy.treat(async ({ operation, body }, forward) => {
    const request = { operation, body: JSON.parse(body || '{}') as Record<string, unknown> };
    requests.push(request);
    const fault = await decide(request);
    if (fault === 'hang') return new Promise(() => {});
    if (fault === 'pass') return forward();
    return awsError(fault.type, fault.message ?? '', fault.status);
  });
  return {
    url: proxy.url,
    requests,
    decide: (fault) => {
      decide = fault;
    },
    close: proxy.close,
  };
}
