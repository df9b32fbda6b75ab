import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createPages, type PagesOptions } from '../../provider/interactions/pages.ts';
import { problemsOf, withFolder } from './own-folder.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const webp = Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64');
const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><path d="M0 0h4v1H0z"/></svg>';

/** A page that shows little besides the brand. */
const draw = (options: Partial<PagesOptions> = {}) =>
  createPages({ appName: 'Acme & Sons', ...options })
    .for({})
    .render('signed-out', {}).html;

describe('the logo', () => {
  test('is the mark of Gatehouse with the name if none is configured', () => {
    const html = draw();
    expect(html).toContain('<svg class="mark"');
    expect(html).toContain('<bdi>Acme &amp; Sons</bdi>');
    expect(html).not.toContain('<img');
  });

  test.each([
    ['svg', svg, 'image/svg+xml'],
    ['svg', `\uFEFF<?xml version="1.0"?>\n<!-- Made with <care> -->\n${svg}`, 'image/svg+xml'],
    ['png', png, 'image/png'],
    ['webp', webp, 'image/webp'],
  ])('as %s replaces mark and name, and has a text alternative', (extension, content, type) => {
    withFolder({ 'a-picture': content }, (folder) => {
      const logoFile = join(folder, 'a-picture');
      const asset = createPages({ appName: 'x', logoFile }).assets.get(`brand-logo.${extension}`);
      expect(asset).toMatchObject({ type, content: Buffer.from(content) });
      const html = draw({ logoFile });
      expect(html).toContain(
        `<img class="own-logo" src="/assets/brand-logo.${extension}?v=${asset?.version}" alt="Acme &amp; Sons"`,
      );
      expect(html).not.toContain('class="mark"');
      expect(html).not.toContain('<source');
    });
  });

  test('can have a dark version, and the browser tab can have another icon', () => {
    withFolder({ light: svg, dark: webp, icon: png }, (folder) => {
      const html = draw({
        logoFile: join(folder, 'light'),
        logoDarkFile: join(folder, 'dark'),
        iconFile: join(folder, 'icon'),
      });
      expect(html).toMatch(
        /<source srcset="\/assets\/brand-logo-dark\.webp\?v=\w+" media="\(prefers-color-scheme: dark\)">/,
      );
      expect(html).toMatch(/<link rel="icon" href="\/assets\/brand-icon\.png\?v=\w+" type="image\/png">/);
    });
  });

  test.each<[string, string | Buffer, string]>([
    ['is an HTML page', '<!doctype html><svg xmlns="http://www.w3.org/2000/svg"></svg>', 'is no SVG'],
    ['is an HTML page with an SVG', `<html>${svg}</html>`, 'is no SVG'],
    [
      'has no namespace, so browsers draw nothing',
      '<svg viewBox="0 0 1 1"></svg>',
      'is no SVG (with its xmlns)',
    ],
    ['defines entities', `<!DOCTYPE svg [<!ENTITY a "b">]>${svg}`, 'is no SVG'],
    ['is a GIF', 'GIF89a', 'is no SVG'],
    ['is empty', '', 'is no SVG'],
    [
      'is too large',
      Buffer.concat([png, Buffer.alloc(100 * 1024)]),
      'has 101 KiB, and at most 100 are taken',
    ],
  ])('that %s is refused', (_what, content, problem) => {
    withFolder({ picture: content }, (folder) => {
      const problems = problemsOf({ logoFile: join(folder, 'picture') });
      expect(problems).toEqual([expect.stringContaining(problem)]);
      expect(problems[0]).toMatch(/^GATEHOUSE_LOGO_FILE: the file .*\/picture /);
    });
  });

  test('that does not exist is refused with the name of its setting', () => {
    expect(problemsOf({ logoFile: '/no/a', logoDarkFile: '/no/b', iconFile: '/no/c' })).toEqual([
      "GATEHOUSE_ICON_FILE: the file /no/c can't be read (ENOENT). Check the path and its permissions.",
      "GATEHOUSE_LOGO_FILE: the file /no/a can't be read (ENOENT). Check the path and its permissions.",
      "GATEHOUSE_LOGO_DARK_FILE: the file /no/b can't be read (ENOENT). Check the path and its permissions.",
    ]);
  });
});

describe('the accent', () => {
  const style = (options: Partial<PagesOptions>) => {
    const asset = createPages({ appName: 'x', ...options }).assets.get('gatehouse.css');
    return { text: String(asset?.content), version: asset?.version };
  };
  const plain = style({});

  test('is part of the stylesheet and changes its version', () => {
    const own = style({ accentColor: '#7A1F5C', accentColorDark: '#e39bc8' });
    expect(own.text.startsWith(plain.text)).toBe(true);
    expect(own.text.slice(plain.text.length).trim()).toBe(
      [
        ':root { --accent: #7a1f5c; --accent-strong: #5c1745; --on-accent: #ffffff; }',
        '@media (prefers-color-scheme: dark) { :root { --accent: #e39bc8; --accent-strong: #eab4d6; --on-accent: #000000; } }',
      ].join('\n'),
    );
    expect(own.version).not.toBe(plain.version);
    expect(style({ accentColor: '#7a1f5d', accentColorDark: '#e39bc8' }).version).not.toBe(own.version);
  });

  test('is made lighter for dark mode if no other is given', () => {
    const dark = /dark\) \{ :root \{ --accent: (#\w+)/;
    expect(dark.exec(style({ accentColor: '#7a1f5c' }).text.slice(plain.text.length))?.[1]).toBe('#d0b1c6');
  });
});

describe('the foot of the page', () => {
  test('is omitted if it is empty', () => {
    expect(draw()).not.toContain('<footer');
  });

  test('has the configured values, escaped, in the language of the page', () => {
    const pages = createPages({
      appName: 'Acme',
      languages: ['en', 'de'],
      footerText: 'Acme <Ltd>',
      supportUrl: 'mailto:help@example.com',
      privacyUrl: 'https://example.com/privacy?a=1&b=2',
    });
    const foot = (uiLocales: string) => {
      const { html } = pages.for({ uiLocales }).render('signed-out', {});
      return html.slice(html.indexOf('<footer'), html.indexOf('</footer>')).split('\n').filter(Boolean);
    };
    expect(foot('en')).toEqual([
      '<footer class="foot">',
      '<p><bdi>Acme &lt;Ltd&gt;</bdi></p>',
      '<ul class="links" aria-label="About Acme">',
      '<li><a href="mailto:help@example.com">Help</a></li>',
      '<li><a href="https://example.com/privacy?a=1&amp;b=2">Privacy</a></li>',
      '</ul>',
    ]);
    expect(foot('de').join()).toContain('>Datenschutz</a>');
  });
});
