import { newId } from '../../provider/lib/ids.ts';
import type { Deployment } from '../support/deployment.ts';
import { type Parameters, type TestClient, type Tokens, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { postJson } from './apps.ts';

export interface Person {
  email: string;
  password: string;
}

/** An account that nobody used before. */
export async function newPerson(deployment: Deployment): Promise<Person> {
  const person = { email: `${newId('someone').toLowerCase()}@example.com`, password: 'a quiet evening in' };
  const { status } = await postJson(deployment, '/auth/register', person);
  if (status !== 202) throw new Error(`no account: ${status}`);
  return person;
}

/** Opens the account page, signing in where asked. */
export async function openAccount(deployment: Deployment, agent: UserAgent, person: Person): Promise<Page> {
  const page = await agent.get(`${deployment.issuer}/account`);
  if (!page.html.includes('name="email"')) return page;
  return agent.submit(page, { ...person });
}

/** A browser that is signed in as this person. */
export async function signedIn(deployment: Deployment, person: Person): Promise<UserAgent> {
  const agent = createUserAgent(deployment);
  await openAccount(deployment, agent, person);
  return agent;
}

/** Signs the person in at an app in this browser, and agrees where asked. */
export async function signInAt(
  app: TestClient,
  agent: UserAgent,
  person: Person,
  parameters: Parameters = {},
): Promise<Tokens> {
  return tokensOf(await app.redeem(await codeFor(app, agent, person, parameters)));
}

/** The same, as far as the code. */
export async function codeFor(
  app: TestClient,
  agent: UserAgent,
  person: Person,
  parameters: Parameters = {},
): Promise<string> {
  const page = await agent.get(app.authorizationUrl(parameters));
  const url = await signInAndAgree(agent, page, person);
  const code = new URL(url).searchParams.get('code');
  if (code === null) throw new Error(`no code came back: ${url}`);
  return code;
}

/** The forms of a page by what their address ends with, each as a page of its own that can be submitted. */
export function formsOf(page: Page, action: string): Page[] {
  const forms = page.html.match(/<form[\s\S]*?<\/form>/g) ?? [];
  return forms.filter((html) => html.includes(`/account/${action}"`)).map((html) => ({ ...page, html }));
}

/** The one form with this action that holds a text. */
export function formOf(page: Page, action: string, text = ''): Page {
  const [form, ...others] = formsOf(page, action).filter(({ html }) => html.includes(text));
  if (!form || others.length > 0)
    throw new Error(`not one form ${action} with '${text}' at ${page.url} (${page.status}):\n${page.html}`);
  return form;
}

/** The hidden field of a form. */
export const hidden = ({ html }: Page, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

const plain = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** The rows of a part of the account page, as a person reads them. */
export function rowsOf({ html }: Page, part: 'places' | 'consented'): string[] {
  const section = html.split('<section').find((each) => each.includes(`aria-labelledby="${part}"`)) ?? '';
  const list = /<ul class="rows">[\s\S]*/.exec(section)?.[0] ?? '';
  return list
    .split('<h3>')
    .slice(1)
    .map((row) => plain(row.split('</form>')[0] ?? ''));
}

export const noticeOf = ({ html }: Page): string | undefined =>
  /<p class="notice"[^>]*>([^<]*)</.exec(html)?.[1];

export const headingOf = ({ html }: Page): string | undefined => /<h1>([^<]*)</.exec(html)?.[1];

/** The stable code that an error page shows. */
export const codeOf = ({ html }: Page): string | undefined => /<code>([a-z_]+)<\/code>/.exec(html)?.[1];
