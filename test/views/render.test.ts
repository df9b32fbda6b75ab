import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createRenderer, type Renderer, viewFile } from '../../provider/interactions/render.ts';
import type { ConsentView, SignInView, ViewName } from '../../provider/interactions/view-models.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type SamplePage, samplePages } from './sample-pages.ts';

const renderer = createRenderer({ appName: 'Gatehouse' });
const draw = (page: SamplePage, by: Renderer = renderer) => by.render(page.view, page.model as never);

const nasty = `<script>"'&`;
const escaped = '&lt;script&gt;&quot;&#39;&amp;';

/** The models again, once for each string in them, with that one string replaced. */
function* withEachString(model: unknown, put: string, path = ''): Generator<[string, unknown]> {
  if (typeof model === 'string') yield [path, put];
  if (typeof model !== 'object' || model === null) return;
  for (const [key, value] of Object.entries(model)) {
    for (const [where, changed] of withEachString(value, put, `${path}/${key}`)) {
      const copy = Array.isArray(model) ? [...model] : { ...model };
      yield [where, Object.assign(copy, { [key]: changed })];
    }
  }
}

const links = /Ur[il]$/;
const unseen = /\/name$|\/field$/;
const eachString = Object.entries(samplePages).flatMap(([name, { view, model }]) =>
  [...withEachString(model, nasty)].map(([path, changed]) => ({
    at: name + path,
    view,
    path,
    model: changed,
  })),
);

describe('every string of every model', () => {
  test.each(eachString)('$at is escaped', ({ view, path, model }) => {
    const html = renderer.render(view as ViewName, model as never);
    expect(html).not.toContain('<script');
    expect(html).not.toContain(nasty);
    // Links that aren't links are left out; a scope's name gives way to its description.
    if (!links.test(path) && !unseen.test(path)) expect(html).toContain(escaped);
  });

  test('a scope without description and a name of an API are escaped', () => {
    const consent = samplePages.consent?.model as ConsentView;
    const html = renderer.render('consent', {
      ...consent,
      scopes: [{ name: `${nasty}1` }],
      apis: [{ name: `${nasty}2`, scopes: [] }],
    });
    expect(html).toContain(`${escaped}1`);
    expect(html).toContain(`${escaped}2`);
  });

  test("the application's name is escaped, in the title too", () => {
    const html = createRenderer({ appName: nasty }).render('signed-out', {});
    expect(html).toContain(`– ${escaped}</title>`);
    expect(html).not.toContain('<script');
  });

  test('values that look like placeholders or patterns stay what they are', () => {
    const html = renderer.render('sign-in', {
      ...(samplePages['sign-in']?.model as SignInView),
      clientName: '{client} $& $1',
    });
    expect(html).toContain('to continue to <bdi>{client} $&amp; $1</bdi>');
  });
});

describe('links', () => {
  const noLinks = [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'JAVASCRIPT://x/%0aalert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://evil.example/1',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'not an address',
    'http:relative',
    '',
  ];
  const signIn = samplePages['sign-in']?.model as SignInView;

  test.each(noLinks)('%j never becomes one', (address) => {
    const { signUpUrl: _signUp, ...rest } = signIn;
    expect(renderer.render('sign-in', { ...rest, clientUri: address })).not.toContain('href="http');
    expect(renderer.render('sign-in', { ...rest, clientUri: address })).not.toContain('<a ');
    expect(renderer.render('sign-in', { ...rest, clientUri: undefined, signUpUrl: address })).not.toContain(
      '<a ',
    );
  });

  test('http, https and paths of ours do, in normal form', () => {
    const html = renderer.render('sign-in', { ...signIn, clientUri: 'https://EXAMPLE.com/a"b' });
    expect(html).toContain('href="https://example.com/a%22b"');
    expect(html).toContain('href="/interaction/abc/sign-up"');
  });

  test('a logo is shown only by https', () => {
    const logo = (logoUri: string) => renderer.render('sign-in', { ...signIn, logoUri });
    expect(logo('https://example.com/logo.png')).toContain(
      '<img class="logo" src="https://example.com/logo.png"',
    );
    expect(logo('http://example.com/logo.png')).not.toContain('<img');
    expect(logo('javascript:alert(1)')).not.toContain('<img');
    expect(logo('data:image/png;base64,AA==')).not.toContain('<img');
  });
});

describe('texts', () => {
  const views = join(packageRoot, 'views');
  const templates = readdirSync(views, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.eta'))
    .map((name) => ({ name, source: readFileSync(join(views, name), 'utf8') }));
  const catalogue: Record<string, string> = JSON.parse(readFileSync(viewFile('text/en.json'), 'utf8'));
  const everything = templates.map(({ source }) => source).join('\n');
  const quotedKeys = [...everything.matchAll(/'([a-z-]+\.[a-z.-]+)'/g)].map(([, key]) => key);

  test('templates hold none of their own', () => {
    for (const { name, source } of templates) {
      const spoken = source
        .replace(/<%.*?%>/gs, '')
        .replace(/<[^>]*?\s(?:alt|title|placeholder|aria-label)="([^"]*)"[^>]*>/g, ' $1 ')
        .replace(/<[^>]*>/g, '');
      expect({ name, words: spoken.match(/\p{L}+/gu) }).toEqual({ name, words: null });
    }
  });

  test('every key in a template is in the catalogue', () => {
    expect(quotedKeys.length).toBeGreaterThan(30);
    expect(quotedKeys.filter((key) => key === undefined || !(key in catalogue))).toEqual([]);
  });

  test('every key of the catalogue is in a template, or is said by code', () => {
    const folder = join(packageRoot, 'provider', 'interactions');
    const code = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const isSaid = (key: string) => code.some((source) => source.includes(`'${key}'`));
    // Of a problem, code names both texts at once; of a scope, its client does.
    const unused = Object.keys(catalogue).filter(
      (key) =>
        !quotedKeys.includes(key) &&
        !isSaid(key) &&
        !(key.startsWith('problem.') && isSaid(key.replace(/\.(title|message)$/, ''))) &&
        !key.startsWith('scope.'),
    );
    expect(unused).toEqual([]);
  });

  test('a missing text or value is an error that names it', () => {
    expect(() => renderer.text('no.such')).toThrow("'no.such'");
    expect(() => renderer.text('toString')).toThrow("'toString'");
    expect(() => renderer.text('message.too-many-attempts')).toThrow('{seconds}');
    expect(renderer.text('message.too-many-attempts', { seconds: 30 })).toContain('30 seconds');
  });

  test('a scope is told in our words, in those of configuration, or by its name', () => {
    const html = draw({
      view: 'consent',
      model: {
        ...(samplePages.consent?.model as ConsentView),
        apis: [],
        scopes: [{ name: 'email' }, { name: 'profile', description: 'Your story' }, { name: 'x:y' }],
      },
    });
    const told = [...html.matchAll(/<li><bdi>(.*?)<\/bdi>/g)].map(([, words]) => words);
    expect(told).toEqual(['See your email address', 'Your story', 'x:y']);
  });
});

describe('an override folder', () => {
  function withFolder(files: Record<string, string>, use: (folder: string) => void) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-views-'));
    try {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('replaces single files and texts, and the rest stays', () => {
    const files = {
      'signed-out.eta': `<% layout('@layout', { pageTitle: 'Bye' }) %><h1>Bye <%= it.text('mine') %></h1>`,
      'text/en.json': JSON.stringify({ mine: 'from <Acme>', 'sign-in.submit': 'Go' }),
      'assets/gatehouse.css': 'body { color: red }',
    };
    withFolder(files, (viewsFolder) => {
      const own = createRenderer({ appName: 'Acme', viewsFolder, text: { 'field.email': 'Mail' } });
      expect(own.render('signed-out', {})).toContain('<h1>Bye from &lt;Acme&gt;</h1>');
      const page = draw(samplePages['sign-in'] as SamplePage, own);
      expect(page).toContain('>Go</button>');
      expect(page).toContain('>Mail</label>');
      expect(page).toContain('>Password</label>');
      const stylesheet = /gatehouse\.css\?v=\w+/;
      expect(stylesheet.exec(page)?.[0]).not.toBe(
        stylesheet.exec(draw(samplePages.logout as SamplePage))?.[0],
      );
      expect(readFileSync(viewFile('assets/gatehouse.css', viewsFolder), 'utf8')).toContain('red');
      expect(viewFile('assets/gatehouse.svg', viewsFolder)).toBe(viewFile('assets/gatehouse.svg'));
    });
  });

  test.each([
    ['a template that does not compile', { 'logout.eta': '<% if ( %>' }, 'logout.eta'],
    ['a catalogue that is not JSON', { 'text/en.json': '{' }, 'en.json'],
    ['a catalogue that is not flat', { 'text/en.json': '{"a":{"b":"c"}}' }, 'en.json'],
  ])('with %s stops the start and names the file', (_name, files, named) => {
    withFolder(files, (viewsFolder) => {
      expect(() => createRenderer({ appName: 'Acme', viewsFolder })).toThrow(named);
    });
  });

  test('that does not exist stops the start', () => {
    const viewsFolder = join(tmpdir(), 'gatehouse-no-such-folder');
    expect(() => createRenderer({ appName: 'Acme', viewsFolder })).toThrow(viewsFolder);
  });
});
