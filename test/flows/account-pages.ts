import type { Page } from '../support/user-agent.ts';

/** The forms of a page with this action, each as a page that can be submitted. */
export function formsOf(page: Page, action: string): Page[] {
  const forms = page.html.match(/<form[\s\S]*?<\/form>/g) ?? [];
  return forms.filter((html) => html.includes(`/account/${action}"`)).map((html) => ({ ...page, html }));
}

/** The only form with this action that contains a text. Throws if there is none or more than one. */
export function formOf(page: Page, action: string, text = ''): Page {
  const [form, ...others] = formsOf(page, action).filter(({ html }) => html.includes(text));
  if (!form || others.length > 0)
    throw new Error(`not one form ${action} with '${text}' at ${page.url} (${page.status}):\n${page.html}`);
  return form;
}

const plain = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** The rows of a section of the account page, without markup. */
export function rowsOf({ html }: Page, part: 'places' | 'consented' | 'recent'): string[] {
  const section = html.split('<section').find((each) => each.includes(`aria-labelledby="${part}"`)) ?? '';
  const list = /<ul class="rows">[\s\S]*/.exec(section)?.[0] ?? '';
  return list
    .split('<h3>')
    .slice(1)
    .map((row) => plain(row.split(row.includes('</form>') ? '</form>' : '</li>')[0] ?? ''));
}

export const noticeOf = ({ html }: Page): string | undefined =>
  /<p class="notice"[^>]*>([^<]*)</.exec(html)?.[1];

export const headingOf = ({ html }: Page): string | undefined => /<h1>([^<]*)</.exec(html)?.[1];

/** The stable code that an error page shows. */
export const codeOf = ({ html }: Page): string | undefined => /<code>([a-z_]+)<\/code>/.exec(html)?.[1];

/** The message beside a field or a form that was refused. */
export const wrongOf = ({ html }: Page): string | undefined =>
  /class="(?:wrong|alert)"[^>]*>([^<]*)</.exec(html)?.[1];
