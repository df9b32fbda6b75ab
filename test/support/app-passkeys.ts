import type { Deployment } from './deployment.ts';
import { apiLogin, postJson } from './json-api.ts';
import {
  type AuthenticatorBehaviour,
  createSoftwarePasskey,
  type SoftwarePasskey,
} from './passkey-authenticator.ts';
import { newPerson } from './sign-in.ts';
import type { JsonAnswer } from './test-client.ts';
import type { Person } from './user-agent.ts';

type Target = Pick<Deployment, 'fetch' | 'issuer'>;

/** The origin of the web app in these tests. It is another site than the issuer. */
export const appOrigin = 'https://shop.example';

/** The settings that let this app in. */
export const appSettings = { GATEHOUSE_PASSKEY_ORIGINS: appOrigin, GATEHOUSE_SIGNUP: 'true' };

/** What differs from an honest answer in the app. */
export type Lies = Partial<AuthenticatorBehaviour> & { challenge?: string; userHandle?: string };

/** Options of Gatehouse, and what goes back with the answer. */
export interface Asked {
  challenge: string;
  options: { challenge: string; [member: string]: unknown };
}

/** Posts to the JSON API as an app does, with a token if there is one. */
export async function appPost(
  target: Target,
  path: string,
  body: object,
  token?: string,
): Promise<JsonAnswer> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await postJson(target, path, body, headers);
  return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) };
}

async function asked(answer: Promise<JsonAnswer>): Promise<Asked> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`no options: ${status} ${JSON.stringify(body)}`);
  return body as unknown as Asked;
}

/** Asks for any passkey. */
export const askForPasskey = (target: Target): Promise<Asked> =>
  asked(appPost(target, '/auth/passkey/options', {}));

/** Asks for a new passkey. */
export const askForNewPasskey = (target: Target, token: string): Promise<Asked> =>
  asked(appPost(target, '/user/passkeys/options', {}, token));

/** Answers with a new passkey. */
export function newAnswer(target: Target, { options }: Asked, passkey: SoftwarePasskey, lies: Lies = {}) {
  const { challenge = options.challenge, ...behaviour } = lies;
  return passkey.create({ challenge }, { ...honest(target), ...behaviour });
}

const honest = ({ issuer }: Target) => ({ origin: appOrigin, rpId: new URL(issuer).hostname });

/** An account with a passkey that the app added. */
export interface PasskeyOwner {
  person: Person;
  passkey: SoftwarePasskey;
  userHandle: string;
  /** The answer of Gatehouse. */
  added: JsonAnswer;
  answer(asked: Pick<Asked, 'options'>, lies?: Lies): ReturnType<SoftwarePasskey['get']>;
  signIn(lies?: Lies): Promise<JsonAnswer>;
}

export async function personWithPasskey(
  target: Deployment,
  algorithm: 'ES256' | 'RS256' = 'ES256',
): Promise<PasskeyOwner> {
  const person = await newPerson(target);
  const { accessToken } = await apiLogin(target, { ...person });
  const passkey = createSoftwarePasskey(algorithm);
  const offer = await askForNewPasskey(target, accessToken);
  const credential = newAnswer(target, offer, passkey);
  const { challenge } = offer;
  const body = { challenge, credential, name: 'Phone' };
  const added = await appPost(target, '/user/passkeys', body, accessToken);
  if (added.status !== 201) throw new Error(`no passkey: ${added.status} ${JSON.stringify(added.body)}`);
  const userHandle = (offer.options.user as { id: string }).id;
  const answer: PasskeyOwner['answer'] = ({ options }, lies = {}) => {
    const { challenge: signed = options.challenge, ...behaviour } = lies;
    return passkey.get({ challenge: signed }, { ...honest(target), userHandle, ...behaviour });
  };
  return {
    person,
    passkey,
    userHandle,
    added,
    answer,
    signIn: async (lies = {}) => {
      const request = await askForPasskey(target);
      const body = { challenge: request.challenge, credential: answer(request, lies) };
      return appPost(target, '/auth/passkey/login', body);
    },
  };
}
