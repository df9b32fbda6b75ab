import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createPages } from '../../provider/interactions/pages.ts';
import type {
  ConsentView,
  SignInView,
  ViewModels,
  ViewName,
} from '../../provider/interactions/view-models.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type SamplePage, samplePages } from './sample-pages.ts';

const renderer = createPages({ appName: 'Gatehouse' }).for({});
const drawn = <View extends ViewName>(view: View, model: ViewModels[View]) =>
  renderer.render(view, model).html;
const draw = (page: SamplePage) => drawn(page.view, page.model as never);

const nasty = `<script>"'&`;
const escaped = '&lt;script&gt;&quot;&#39;&amp;';

/** Copies of the models, one for each string in them, with this string replaced. */
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

/** The only script that a page may have. */
const ownScript = /<script src="\/assets\/gatehouse\.js\?v=[0-9a-f]{12}" defer><\/script>/;

const links = /Ur[il]$/;
/** The last one: a passkey that can't be changed now has no form. */
const unseen = /\/name$|\/field$|^account-passkeys-old.*\/id$/;
const eachString = Object.entries(samplePages).flatMap(([name, { view, model }]) =>
  [...withEachString(model, nasty)].map(([path, changed]) => ({
    at: name + path,
    view,
    path,
    model: changed,
  })),
);

test('a password is masked while it is typed, on every page that asks for one', () => {
  const fields = Object.values(samplePages).flatMap((page) =>
    [...draw(page).matchAll(/<input[^>]*name="(?<name>\w*password)"[^>]*>/gi)].map(([input, name]) => [
      name,
      /type="(?<type>\w+)"/.exec(input)?.groups?.type,
    ]),
  );
  expect(new Set(fields.map(([name]) => name))).toEqual(
    new Set(['password', 'newPassword', 'currentPassword', 'factorPassword', 'addressPassword']),
  );
  for (const [name, type] of fields) expect([name, type]).toEqual([name, 'password']);
});

describe('every string of every model', () => {
  test.each(eachString)('$at is escaped', ({ at, view, path, model }) => {
    const html = drawn(view as ViewName, model as never);
    expect(html.replace(ownScript, '')).not.toContain('<script');
    expect(html).not.toContain(nasty);
    // Invalid links are left out. The description of a scope replaces its name.
    if (!links.test(path) && !unseen.test(at)) expect(html).toContain(escaped);
  });

  test('a scope without description and a name of an API are escaped', () => {
    const consent = samplePages.consent?.model as ConsentView;
    const html = drawn('consent', {
      ...consent,
      scopes: [{ name: `${nasty}1` }],
      apis: [{ name: `${nasty}2`, scopes: [] }],
    });
    expect(html).toContain(`${escaped}1`);
    expect(html).toContain(`${escaped}2`);
  });

  test('the name of the application is escaped, also in the title', () => {
    const html = createPages({ appName: nasty }).for({}).render('signed-out', {}).html;
    expect(html).toContain(`– ${escaped}</title>`);
    expect(html).not.toContain('<script');
  });

  test('values that look like placeholders or patterns are not changed', () => {
    const html = drawn('sign-in', {
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

  test.each(noLinks)('%j never becomes a link', (address) => {
    const fields = ['clientUri', 'policyUri', 'termsUri', 'signUpUrl', 'recoverUrl'] as const;
    const rest = { ...signIn, ...Object.fromEntries(fields.map((field) => [field, undefined])) };
    for (const field of fields) {
      const html = drawn('sign-in', { ...rest, [field]: address });
      expect(html).not.toContain('href="http');
      expect(html).not.toContain('<a ');
    }
  });

  test.each(['sign-in', 'sign-up', 'consent', 'device-confirm'] as const)(
    'the page %s links to the policy and the terms of the client, with its name',
    (view) => {
      const model = samplePages[view]?.model as SignInView;
      const links = (changes: object) =>
        drawn(view, { ...model, ...changes } as never).match(/<a href="[^"]*(privacy|terms)".*<\/a>/g) ?? [];
      const shown = { clientName: '<Shop>', policyUri: 'https://shop.example/privacy' };
      const policy =
        '<a href="https://shop.example/privacy" rel="noopener noreferrer">Privacy policy of <bdi>&lt;Shop&gt;</bdi></a>';
      expect(links({ ...shown, termsUri: undefined })).toEqual([policy]);
      expect(links({ ...shown, termsUri: 'https://shop.example/terms' })).toEqual([
        policy,
        expect.stringContaining('>Terms of service of <bdi>&lt;Shop&gt;</bdi></a>'),
      ]);
      expect(links({ policyUri: undefined, termsUri: undefined })).toEqual([]);
    },
  );

  test('http, https and paths of the issuer become links in normal form', () => {
    const html = drawn('sign-in', { ...signIn, clientUri: 'https://EXAMPLE.com/a"b' });
    expect(html).toContain('href="https://example.com/a%22b"');
    expect(html).toContain('href="/interaction/abc/sign-up"');
  });

  test('a logo is shown only by https', () => {
    const logo = (logoUri: string) => drawn('sign-in', { ...signIn, logoUri });
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
  const catalogue: Record<string, string> = JSON.parse(readFileSync(join(views, 'text', 'en.json'), 'utf8'));
  const everything = templates.map(({ source }) => source).join('\n');
  const quotedKeys = [...everything.matchAll(/'([a-z-]+\.[a-z.-]+)'/g)].map(([, key]) => key);

  test('templates contain no fixed texts', () => {
    for (const { name, source } of templates) {
      const spoken = source
        .replace(/<%.*?%>/gs, '')
        .replace(/<style>.*?<\/style>/gs, '')
        .replace(/<[^>]*?\s(?:alt|title|placeholder|aria-label)="([^"]*)"[^>]*>/g, ' $1 ')
        .replace(/<[^>]*>/g, '');
      expect({ name, words: spoken.match(/\p{L}+/gu) }).toEqual({ name, words: null });
    }
  });

  test('every key in a template is in the catalogue', () => {
    expect(quotedKeys.length).toBeGreaterThan(30);
    expect(quotedKeys.filter((key) => key === undefined || !(key in catalogue))).toEqual([]);
  });

  test('every key of the catalogue is in a template or in code', () => {
    const folder = join(packageRoot, 'provider', 'interactions');
    const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    /** Keys that are composed: `a.b.${c}`. */
    const patterns = code.flatMap((source) =>
      [...source.matchAll(/`((?:[\w-]+\.)+)(?:[\w-]|\$\{[^}`]+\}|\.)+`/g)].map(([key]) => {
        const parts = key.slice(1, -1).split(/\$\{[^}]+\}/);
        return new RegExp(`^${parts.map((part) => part.replaceAll('.', '\\.')).join('[\\w-]+')}$`);
      }),
    );
    const isSaid = (key: string) =>
      code.some((source) => source.includes(`'${key}'`)) || patterns.some((pattern) => pattern.test(key));
    // Code composes the keys for title and message, and the keys for scopes.
    const unused = Object.keys(catalogue).filter(
      (key) =>
        !quotedKeys.includes(key) &&
        !isSaid(key) &&
        !isSaid(key.replace(/\.(title|message)$/, '')) &&
        !key.startsWith('scope.'),
    );
    expect(unused).toEqual([]);
  });

  test('a missing text or value causes an error with its name', () => {
    expect(() => renderer.text('no.such')).toThrow("'no.such'");
    expect(() => renderer.text('toString')).toThrow("'toString'");
    expect(() => renderer.text('message.too-many-attempts')).toThrow('{seconds}');
    expect(renderer.text('message.too-many-attempts', { seconds: 30 })).toContain('30 seconds');
  });

  test('a scope is described by the catalogue, by the configuration, or by its name', () => {
    const html = draw({
      view: 'consent',
      model: {
        ...(samplePages.consent?.model as ConsentView),
        apis: [],
        scopes: [{ name: 'email' }, { name: 'a:b', description: 'Your story' }, { name: 'x:y' }],
      },
    });
    const told = [...html.matchAll(/<li><bdi>(.*?)<\/bdi>/g)].map(([, words]) => words);
    expect(told).toEqual(['See your email address', 'Your story', 'x:y']);
  });
});
