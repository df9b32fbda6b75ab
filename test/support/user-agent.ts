import type { Deployment } from './deployment.ts';

export interface Person {
  email: string;
  password: string;
}

/** A page as a browser without scripts sees it. */
export interface Page {
  url: string;
  status: number;
  html: string;
  headers: Headers;
}

/** A browser without scripts: cookies, redirects and forms over plain HTTP. It only requests the issuer's addresses. */
export interface UserAgent {
  /** Follows redirects until a page or a foreign address. For the latter, `url` is that address and `html` is empty. */
  get(url: string): Promise<Page>;
  /** Fills in and sends the page's first form, including its hidden fields. */
  submit(page: Page, fields: Record<string, string>): Promise<Page>;
  /** Cookies by name, regardless of path. A test never has two cookies with the same name. */
  cookies: Map<string, string>;
}

const unescapeHtml = (text: string) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

export function createUserAgent({ fetch, issuer }: Pick<Deployment, 'fetch' | 'issuer'>): UserAgent {
  const { origin } = new URL(issuer);
  const cookies = new Map<string, string>();

  const request = async (url: string, init: RequestInit, hops: number): Promise<Page> => {
    if (new URL(url).origin !== origin) return { url, status: 0, html: '', headers: new Headers() };
    if (hops > 20) throw new Error(`too many redirects, at ${url}`);
    const cookie = cookies.size > 0 ? { cookie: cookieHeader({ cookies }) } : {};
    const headers = { accept: 'text/html', ...init.headers, ...cookie };
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) keep(cookies, line);
    const location = response.headers.get('location');
    if (location !== null && response.status >= 300) {
      await response.arrayBuffer();
      return request(new URL(location, url).href, {}, hops + 1);
    }
    return { url, status: response.status, html: await response.text(), headers: response.headers };
  };

  return {
    cookies,
    get: (url) => request(url, {}, 0),
    submit: (page, fields) => {
      const form = /<form[^>]*action="(?<action>[^"]*)"[\s\S]*?<\/form>/.exec(page.html);
      if (!form) throw new Error(`no form on ${page.url} (${page.status}):\n${page.html}`);
      const hidden = [...form[0].matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
        /name="(?<name>[^"]*)"/.exec(input)?.groups?.name ?? '',
        unescapeHtml(/value="(?<value>[^"]*)"/.exec(input)?.groups?.value ?? ''),
      ]);
      const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields });
      const action = new URL(unescapeHtml(form.groups?.action ?? ''), page.url).href;
      return request(action, { method: 'POST', body }, 0);
    },
  };
}

/** The browser's cookies, as it sends them. */
export const cookieHeader = ({ cookies }: Pick<UserAgent, 'cookies'>): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** A browser with this one's cookies, as a thief has who copied them. */
export function copyOf(deployment: Deployment, agent: UserAgent): UserAgent {
  const copy = createUserAgent(deployment);
  for (const [name, value] of agent.cookies) copy.cookies.set(name, value);
  return copy;
}

/** The value of a hidden field on a page, or '' if the page has no such field. */
export const hiddenField = ({ html }: Pick<Page, 'html'>, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';');
  const [name = '', value = ''] = pair.split(/=(.*)/s);
  const isGone = value === '' || /expires=Thu, 01 Jan 1970/i.test(line);
  if (isGone) cookies.delete(name);
  else cookies.set(name, value);
}

/** The address of a step of the sign-in that this page belongs to, such as `/sign-in`. */
export const stepOf = ({ url }: Pick<Page, 'url'>, step: string): string => url.replace(/(?=\?|$)/, step);

/** Signs a person in with "keep me signed in", agrees if asked, and returns the final address. */
export async function signInAndAgree(
  agent: UserAgent,
  page: Page,
  { email, password }: Person,
): Promise<string> {
  let current = page;
  if (current.html.includes('name="password"')) {
    current = await agent.submit(current, { email, password, remember: 'yes' });
  }
  if (current.html.includes('name="decision"')) current = await agent.submit(current, { decision: 'allow' });
  if (current.status !== 0) throw new Error(`stuck at ${current.url} (${current.status}):\n${current.html}`);
  return current.url;
}
