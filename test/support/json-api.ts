import { type Deployment, demo } from './deployment.ts';
import { bearer, type JsonAnswer, jsonAnswer } from './test-client.ts';

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

/** Posts to the JSON API, and reads the answer. */
export const callJsonApi = async (target: Target, path: string, body: object): Promise<JsonAnswer> =>
  jsonAnswer(await postJson(target, path, body));

/** Signs the demo account in with `/auth/login`; `more` changes the request. Throws if the answer has no tokens. */
export async function apiLogin(target: Target, more: Record<string, unknown> = {}): Promise<ApiTokens> {
  const { email, password } = demo;
  const { status, body } = await callJsonApi(target, '/auth/login', { email, password, ...more });
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
  return body as unknown as ApiTokens;
}

/** Requests `/user/profile`. Without a token, it sends no `Authorization` header. */
export const getProfile = (target: Target, token?: string): Promise<Response> =>
  getWithToken(target, '/user/profile', token);

export const getUserinfo = (target: Target, token: string): Promise<Response> =>
  getWithToken(target, '/oauth2/userinfo', token);

function getWithToken({ fetch, issuer }: Target, path: string, token: string | undefined): Promise<Response> {
  return fetch(`${issuer}${path}`, { headers: token === undefined ? {} : bearer(token) });
}

/** The parts of an answer that could distinguish callers: all except request id, date and connection. */
export async function comparable(answer: Response): Promise<unknown> {
  const varying = ['x-request-id', 'date', 'connection', 'keep-alive'];
  const headers = [...answer.headers].filter(([name]) => !varying.includes(name));
  const text = (await answer.text()).replace(/"requestId":"[\w-]+"/, '"requestId":"…"');
  return { status: answer.status, headers, text };
}
