import { type Deployment, demo } from './deployment.ts';

/** The response of `/auth/login` and `/auth/refresh`. */
export interface ApiTokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

type Target = Pick<Deployment, 'fetch' | 'issuer'>;

/** Posts to the JSON API. A string is sent unchanged. */
export function postJson(
  { fetch, issuer }: Target,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Signs the demo account in with `/auth/login`. Throws with the answer if it has no tokens. */
export async function apiLogin(target: Target, more: Record<string, unknown> = {}): Promise<ApiTokens> {
  const { email, password } = demo;
  const answer = await postJson(target, '/auth/login', { email, password, ...more });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${text}`);
  return JSON.parse(text) as ApiTokens;
}

/** Requests `/user/profile`. Without a token, it sends no `Authorization` header. */
export function getProfile({ fetch, issuer }: Target, token?: string): Promise<Response> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(`${issuer}/user/profile`, { headers });
}

/** The parts of an answer that could distinguish callers: all except request id, date and connection. */
export async function comparable(answer: Response): Promise<unknown> {
  const varying = ['x-request-id', 'date', 'connection', 'keep-alive'];
  const headers = [...answer.headers].filter(([name]) => !varying.includes(name));
  const text = (await answer.text()).replace(/"requestId":"[\w-]+"/, '"requestId":"…"');
  return { status: answer.status, headers, text };
}
