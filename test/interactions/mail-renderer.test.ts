import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createPages, type PagesOptions } from '../../provider/interactions/pages.ts';
import type { MailKind, MailModels } from '../../provider/lib/mail-content.ts';

const issuer = 'https://login.example.com/id';
const at = Date.UTC(2026, 0, 2, 3, 4);
const change = { from: 'john@example.com', to: 'jane@example.com' };
const passkey = { email: 'john@example.com', name: 'Phone', at };
const factorChange = { email: 'john@example.com', at };
const models: MailModels = {
  'password-changed': factorChange,
  'second-factor-added': factorChange,
  'second-factor-removed': { ...factorChange, byOperator: true },
  'second-factor-removal': { ...factorChange, dueAt: at + 1000 },
  'passkey-added': passkey,
  'passkey-removed': passkey,
  'recovery-codes-replaced': factorChange,
  'recovery-code-used': { ...factorChange, left: 9 },
  recover: {
    email: 'john@example.com',
    url: `${issuer}/recover/password?token=sample`,
    code: 'WDJB-MJHT',
    minutes: 30,
    at,
  },
  'confirm-address': {
    email: 'john@example.com',
    url: `${issuer}/sign-up/confirm?token=sample`,
    code: 'WDJB-MJHT',
    at,
  },
  'account-exists': { email: 'john@example.com', at },
  invitation: { email: 'john@example.com', url: `${issuer}/invitation?token=sample`, clientName: 'Shop', at },
  test: { at },
  'address-confirm': {
    ...change,
    at,
    url: `${issuer}/account/address/confirm?token=sample`,
    code: 'WDJB-MJHT',
    minutes: 30,
  },
  'address-requested': { ...change, at },
  'address-taken': { at },
  'address-changed': { ...change, at, url: `${issuer}/account/address/undo?token=sample` },
  'address-restored': { ...change, at },
};
const kinds = Object.keys(models) as MailKind[];

/** The address that a mail leads to. */
const linkOf = (kind: MailKind): string => {
  const model = models[kind];
  return 'url' in model ? model.url : `${issuer}/account`;
};

const render = (
  kind: MailKind,
  {
    language,
    model = models[kind],
    ...options
  }: Partial<PagesOptions> & { language?: string; model?: object } = {},
) => {
  const pages = createPages({ appName: 'Example', languages: ['en', 'de'], ...options });
  return pages.mails.render(kind, { to: 'john@example.com', language, model: { ...model } }, issuer);
};

describe.each(kinds)('the mail %s', (kind) => {
  test.each(['en', 'de'])('is complete in %s, as text and as HTML', (language) => {
    const { to, subject, text, html } = render(kind, { language });
    expect(to).toBe('john@example.com');
    expect(subject).toMatch(/^Example: \S/);
    expect(html).toContain(`<html lang="${language}" dir="ltr">`);
    for (const content of [text, html]) {
      expect(content).toContain(linkOf(kind));
      expect(content).toContain('2026');
      expect(content).not.toMatch(/undefined|\[object|\{\w+\}(?!\s*$)/);
    }
    expect(text).not.toMatch(/<|&\w+;/);
  });

  test('has no remote content, no scripts and no forms', () => {
    const { html } = render(kind, { supportUrl: 'https://example.com/help', footerText: 'Example Ltd' });
    expect(html).not.toMatch(/<(?:img|link|script|form|iframe|object|video|audio|base|meta http-equiv)\b/i);
    expect(html).not.toMatch(/\bsrc=|url\(|@import|\bon\w+=/i);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
    expect(new Set(links)).toEqual(new Set([linkOf(kind), 'https://example.com/help']));
  });
});

test('what a person typed stays text in HTML, and is in no subject', () => {
  const model = { email: '<img src=x>"&@example.com', at };
  const { subject, html, text } = render('password-changed', { model });
  expect(html).toContain('<bdi>&lt;img src=x&gt;&quot;&amp;@example.com</bdi>');
  expect(text).toContain('<img src=x>"&@example.com');
  expect(subject).toBe('Example: your password was changed');
});

test('a language that is not offered gets the default, a dialect its language', () => {
  const { html } = render('test', { language: 'fr' });
  expect(html).toContain('<html lang="en"');
  expect(render('test', { language: 'de-CH' }).html).toContain('<html lang="de"');
  expect(render('test', { languages: ['de', 'en'] }).html).toContain('<html lang="de"');
});

test('a mail has the accent colour of the pages, for light and dark', () => {
  const { html } = render('test', { accentColor: '#7a1f5c', accentColorDark: '#e39bc8' });
  expect(html).toContain('background: #7a1f5c; color: #ffffff');
  expect(html).toContain('background: #e39bc8; color: #000000');
});

test('templates and texts of the views folder replace ours, and a wrong one stops the start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-views-'));
  try {
    await mkdir(join(folder, 'mail'));
    await mkdir(join(folder, 'text'));
    await writeFile(join(folder, 'mail', 'test.eta'), '<p>Ours: <%= it.text("mail.test.title") %></p>');
    await writeFile(join(folder, 'text', 'en.json'), '{"mail.test.title": "It works"}');
    expect(render('test', { viewsFolder: folder }).html).toBe('<p>Ours: It works</p>');
    await writeFile(join(folder, 'mail', 'test.eta'), '<%= it.text("mail.no-such-text") %>');
    expect(() => render('test', { viewsFolder: folder })).toThrow('there is no text "mail.no-such-text"');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an unknown kind is an error, so that a newer worker can send it', () => {
  const { mails } = createPages({ appName: 'Example' });
  const content = { to: 'john@example.com', model: {} };
  for (const kind of ['from-a-newer-release', '../layout', 'layout'])
    expect(() => mails.render(kind, content, issuer)).toThrow();
});
