import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { createInterface } from 'node:readline';
import type { KubeConfig } from '@kubernetes/client-node';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { KubernetesRefused } from '../../provider/ports/kubernetes.ts';

export interface ApiCall {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  path: string;
  body?: object;
  contentType?: string;
  accept?: string;
  /** How long the call may take, in milliseconds. Default: 10,000. */
  timeoutMs?: number;
}

/** The answer of a call: its status, and its body as JSON. */
export interface ApiAnswer {
  status: number;
  body: unknown;
}

/** Requests to the API server with the credentials of a kubeconfig. */
export interface Api {
  /** Gives every answer with a status below 500 except 429. Rejects with StoreUnavailable. */
  call(call: ApiCall): Promise<ApiAnswer>;
  /**
   * Calls `line` with each line of a long answer, and resolves when the server ends it.
   *
   * @throws StoreUnavailable, also when the answer takes longer than `timeoutMs`
   */
  lines(call: ApiCall, line: (text: string) => void, stopping: AbortSignal): Promise<void>;
}

const unavailable = (cause: unknown) => new StoreUnavailable('The Kubernetes API', cause);

/** Whether a later attempt may succeed without a change by a person. */
const isTemporary = (status: number) => status === 429 || status >= 500;

export function createApi(config: KubeConfig): Api {
  const server = new URL(config.getCurrentCluster()?.server ?? '');
  const secure = server.protocol === 'https:';
  const agents = createAgents();

  const send = async (call: ApiCall, signal: AbortSignal): Promise<IncomingMessage> => {
    const options: RequestOptions = { method: call.method, headers: {} };
    await config.applyToHTTPSOptions(options);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = {
      ...(options.headers as http.OutgoingHttpHeaders),
      accept: call.accept ?? 'application/json',
      // Kubernetes records the writer of each field by this name.
      'user-agent': 'gatehouse-operator',
      ...(body !== undefined && {
        'content-type': call.contentType ?? 'application/json',
        'content-length': Buffer.byteLength(body),
      }),
    };
    const url = new URL(server.href.replace(/\/$/, '') + call.path);
    const agent = config.getCurrentCluster()?.proxyUrl ? options.agent : agents(secure, options);
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, { ...options, headers, agent, signal }, resolve);
      request.on('error', reject);
      request.end(body);
    });
  };

  return {
    call: async (call) => {
      const signal = AbortSignal.timeout(call.timeoutMs ?? 10_000);
      const answer = await attempt(async () => {
        const response = await send(call, signal);
        return { status: response.statusCode ?? 0, body: await jsonOf(response) };
      });
      if (isTemporary(answer.status)) throw unavailable(refusal(answer));
      return answer;
    },
    lines: async (call, line, stopping) => {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(call.timeoutMs ?? 10_000)]);
      const response = await attempt(() => send(call, signal));
      if (response.statusCode !== 200) {
        const answer = await attempt(async () => ({
          status: response.statusCode ?? 0,
          body: await jsonOf(response),
        }));
        throw isTemporary(answer.status) ? unavailable(refusal(answer)) : refusal(answer);
      }
      await attempt(async () => {
        for await (const text of createInterface({ input: response })) line(text);
        // The interface ends without an error also when the connection was cut.
        if (!response.complete) throw new Error('the connection was cut');
      });
    },
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}

async function jsonOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    // A proxy between may answer an error with a page.
    if (response.statusCode !== undefined && response.statusCode >= 400) return {};
    throw error;
  }
}

/** The error for an answer that is not a success. The message of the API server says what is not allowed. */
export function refusal({ status, body }: ApiAnswer): KubernetesRefused {
  const { message } = (body ?? {}) as { message?: unknown };
  return new KubernetesRefused(
    status,
    `Kubernetes answers ${status}: ${String(message ?? 'no reason given')}`,
  );
}

/** Keeps connections open between calls. Other credentials or another CA get other connections. */
function createAgents() {
  let known = '';
  let agent: http.Agent | undefined;
  return (secure: boolean, options: RequestOptions): http.Agent => {
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const now = JSON.stringify([ca, cert, key, servername, rejectUnauthorized].map(String));
    if (agent === undefined || now !== known) {
      known = now;
      const kept = { keepAlive: true };
      agent = secure
        ? new https.Agent({ ...kept, ca, cert, key, servername, rejectUnauthorized })
        : new http.Agent(kept);
    }
    return agent;
  };
}
