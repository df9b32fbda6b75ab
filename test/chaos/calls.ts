import type { Answer, Question } from './caller.ts';

/** The tokens of an app after a sign-in or a refresh. */
export interface Promised {
  accessToken: string;
  refreshToken: string;
  familyId: string;
  /** The time of the request, in milliseconds since the epoch. */
  askedAt: number;
}

type Asked = [what: Question, path: string, init: RequestInit];

/** One of the endpoints that issue tokens, and the format of its responses. */
export interface Calls {
  signIn(person: { email: string; password: string; clientId: string }): Asked;
  refresh(refreshToken: string, clientId: string): Asked;
  /** Reads the tokens of a response. Throws if one is missing. */
  promised(answer: Answer): Promised;
  isInvalidGrant(answer: Answer): boolean;
}

export const jsonApi: Calls = {
  signIn: (person) => ['sign-in', '/auth/login', postJson(person)],
  refresh: (refreshToken, clientId) => ['refresh', '/auth/refresh', postJson({ refreshToken, clientId })],
  promised: ({ body, sentAt }) => promisedBy(body.accessToken, body.refreshToken, sentAt),
  isInvalidGrant: ({ status, body }) => status === 401 && body.code === 'invalid_grant',
};

export const tokenEndpoint: Calls = {
  signIn: ({ email, password, clientId }) => [
    'sign-in, token endpoint',
    '/oauth2/token',
    postForm({
      grant_type: 'password',
      username: email,
      password,
      client_id: clientId,
      scope: 'openid profile email',
    }),
  ],
  refresh: (refreshToken, clientId) => [
    'refresh, token endpoint',
    '/oauth2/token',
    postForm({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId }),
  ],
  promised: ({ body, sentAt }) => {
    if (typeof body.id_token !== 'string') throw new Error('no id token');
    return promisedBy(body.access_token, body.refresh_token, sentAt);
  },
  isInvalidGrant: ({ status, body }) => status === 400 && body.error === 'invalid_grant',
};

export const anyCalls = (): Calls => (Math.random() < 0.6 ? jsonApi : tokenEndpoint);

function promisedBy(accessToken: unknown, refreshToken: unknown, askedAt: number): Promised {
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') throw new Error('no tokens');
  const claims = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return { accessToken, refreshToken, familyId: JSON.parse(claims).family, askedAt };
}

export const postJson = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const postForm = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
});
