import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createPages } from '../../provider/interactions/pages.ts';
import type { Renderer } from '../../provider/interactions/render.ts';
import { problemsOf, withFolder } from './own-folder.ts';
import { type SamplePage, samplePages } from './sample-pages.ts';

const draw = (name: string, by: Renderer) => {
  const { view, model } = samplePages[name] as SamplePage;
  return by.render(view, model as never).html;
};
const ours = createPages({ appName: 'Acme' });

test('a views folder replaces single templates, partials, texts and styles, and no others', () => {
  const files = {
    'signed-out.eta': `<% layout('@layout', { pageTitle: 'Bye' }) %><h1>Bye <%= it.text('mine') %></h1>`,
    'partials/heading.eta': '<h1>Our own heading</h1><img src="<%= it.asset(\'door.png\') %>" alt="">',
    'text/en.json': JSON.stringify({ mine: 'from <Acme>', 'sign-in.submit': 'Go' }),
    'assets/gatehouse.css': 'body { color: red }',
    'assets/door.png': 'any',
  };
  withFolder(files, (viewsFolder) => {
    const own = createPages({ appName: 'Acme', viewsFolder });
    expect(draw('signed-out', own.for({}))).toContain('<h1>Bye from &lt;Acme&gt;</h1>');
    const page = draw('sign-in', own.for({}));
    expect(page).toContain('>Go</button>');
    expect(page).toContain('>Password</label>');
    expect(page).toContain('<h1>Our own heading</h1>');
    const { version = '', type } = own.assets.get('door.png') ?? {};
    expect(page).toContain(`src="/assets/door.png?v=${version}"`);
    expect(type).toBe('image/png');
    expect(own.assets.get('gatehouse.css')?.content.toString()).toBe('body { color: red }');
    expect(own.assets.get('gatehouse.css')?.version).not.toBe(ours.assets.get('gatehouse.css')?.version);
    expect(own.assets.get('gatehouse.svg')).toEqual(ours.assets.get('gatehouse.svg'));
  });
});

test.each(Object.keys(samplePages))('%s is rendered inside a custom layout', (name) => {
  const files = { 'layout.eta': `<!doctype html><body class="own"><%~ it.body %></body>` };
  withFolder(files, (viewsFolder) => {
    const page = draw(name, createPages({ appName: 'Acme', viewsFolder }).for({}));
    expect(page).toMatch(/^<!doctype html><body class="own">[\s\S]*<h1>[\s\S]*<\/body>$/);
  });
});

test('a views folder can be a Kubernetes mount, with links to a hidden folder of the newest version', () => {
  const mount = (folder: string, name: string) => {
    mkdirSync(join(folder, '..2026'));
    renameSync(join(folder, name), join(folder, '..2026', name));
    symlinkSync('..2026', join(folder, '..data'));
    symlinkSync(join('..data', name), join(folder, name));
  };
  const files = { 'layout.eta': 'mounted <%~ it.body %>', 'assets/door.svg': '<svg/>' };
  withFolder(files, (viewsFolder) => {
    mount(viewsFolder, 'layout.eta');
    mount(join(viewsFolder, 'assets'), 'door.svg');
    const pages = createPages({ appName: 'Acme', viewsFolder });
    expect(draw('home', pages.for({}))).toMatch(/^mounted /);
    expect(String(pages.assets.get('door.svg')?.content)).toBe('<svg/>');
  });
});

describe('a scope', () => {
  test('is described by the catalogue of the folder before the APIs file', () => {
    const files = { 'text/de.json': JSON.stringify({ 'scope.contracts:read': 'Ihre Verträge lesen' }) };
    withFolder(files, (viewsFolder) => {
      const pages = createPages({ appName: 'Acme', viewsFolder, languages: ['en', 'de'] });
      expect(draw('consent', pages.for({ uiLocales: 'de' }))).toContain('<bdi>Ihre Verträge lesen</bdi>');
      expect(draw('consent', pages.for({ uiLocales: 'en' }))).toContain('<bdi>Read your contracts</bdi>');
    });
  });
});

describe('the start fails with the file name for', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['a template that does not compile', { 'logout.eta': '<% if ( %>' }, /\/logout\.eta can't be used: /],
    [
      'a template with an unknown text',
      { 'logout.eta': "<%= it.text('logout.titel') %>" },
      /\/logout\.eta: there is no text "logout\.titel" in en\.$/,
    ],
    [
      'a template with an unknown template',
      { 'home.eta': "<% layout('@frame') %>" },
      /\/home\.eta: there is no template "@frame"\.$/,
    ],
    [
      'a template with an unknown file',
      { 'home.eta': "<%= it.asset('x.png') %>" },
      /\/home\.eta: there is no file "x\.png" in assets\/\.$/,
    ],
    ['a catalogue that is not JSON', { 'text/en.json': '{' }, /\/text\/en\.json can't be used: /],
    ['an asset that no page may load', { 'assets/font.woff2': 'x' }, /\/assets\/font\.woff2 can't be served/],
  ])('%s', (_name, files, problem) => {
    withFolder(files, (viewsFolder) => {
      expect(problemsOf({ viewsFolder })).toEqual([expect.stringMatching(problem)]);
    });
  });

  test('several problems at once', () => {
    const files = { 'logout.eta': '<% if ( %>', 'home.eta': '<% for %>', 'text/en.json': '[]' };
    withFolder(files, (viewsFolder) => {
      const problems = problemsOf({
        viewsFolder,
        languages: ['en', 'xx'],
        logoFile: join(viewsFolder, 'no.png'),
      });
      expect(problems).toHaveLength(5);
    });
  });

  test('a folder that does not exist', () => {
    const viewsFolder = join(tmpdir(), 'gatehouse-no-such-folder');
    expect(problemsOf({ viewsFolder })).toEqual([
      `GATEHOUSE_VIEWS_FOLDER: the folder ${viewsFolder} can't be read (ENOENT). Check the path and its permissions.`,
    ]);
  });
});
