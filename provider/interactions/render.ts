import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta/core';
import { z } from 'zod';
import { ConfigurationError } from '../lib/errors.ts';
import { packageRoot } from '../lib/package-root.ts';
import type { ConsentScope, ViewModels, ViewName } from './view-models.ts';

const builtInViews = join(packageRoot, 'views');

/** Every text of the pages by its key, with `{placeholders}`. */
export type TextCatalogue = Record<string, string>;
const catalogueSchema = z.record(z.string(), z.string());
type Values = Record<string, string | number>;

export interface RendererOptions {
  /**
   * A folder laid out like `views/`: what is there replaces the built-in file of that name; `text/en.json` may
   * hold some texts only. Templates are code: the folder belongs to whoever runs the server.
   */
  viewsFolder?: string | undefined;
  /** What people know this server as. */
  appName: string;
  /** Replaces single texts. */
  text?: TextCatalogue | undefined;
  /** The path under which `views/assets/` is served, `/assets` unless told; its files' names carry a version. */
  assetsPath?: string | undefined;
}

export interface Renderer {
  /** The whole page, as HTML. Send it with `pageHeaders()`. */
  render<View extends ViewName>(view: View, model: ViewModels[View]): string;
  /** A text of the catalogue, plain. Throws on an unknown key and on a placeholder without a value. */
  text(key: string, values?: Values): string;
}

/**
 * Where a file of `views/` is: in the override folder when it has one of that name, else in the package.
 *
 * @param name relative to `views/`, from our own code: it is not checked for `..`
 */
export function viewFile(name: string, viewsFolder?: string): string {
  const override = viewsFolder === undefined ? undefined : join(viewsFolder, name);
  return override !== undefined && existsSync(override) ? override : join(builtInViews, name);
}

/**
 * An address fit for a link: http, https or a path on this server, in normal form; undefined for all else. Goes
 * by how a browser would read it, so `/\evil.example` and a tab inside `java script:` are no way around.
 */
function linkTo(value: string | undefined): string | undefined {
  const here = 'http://here.invalid';
  if (value === undefined || !URL.canParse(value, here)) return undefined;
  const url = new URL(value, here);
  if (url.origin === here) return value.startsWith('/') ? url.href.slice(here.length) : undefined;
  return /^https?:/i.test(value) ? url.href : undefined;
}

const httpsOnly = (value: string | undefined) => {
  const link = linkTo(value);
  return link?.startsWith('https://') ? link : undefined;
};

const hostOf = (value: string | undefined) =>
  value !== undefined && URL.canParse(value) ? new URL(value).host : undefined;

function fill(key: string, text: string, values: Values, show: (value: string) => string): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The text '${key}' needs a value for {${name}}.`);
    return show(String(value));
  });
}

function createTexts(texts: TextCatalogue, escapeHtml: (value: string) => string) {
  const read = (key: string) => {
    const text = Object.hasOwn(texts, key) ? texts[key] : undefined;
    if (text === undefined) throw new Error(`There is no text '${key}' in the catalogue.`);
    return text;
  };
  const text = (key: string, values: Values = {}) => fill(key, read(key), values, (value) => value);
  /** As HTML: each value set apart, so that its direction or odd characters can't reorder our sentence. */
  const html = (key: string, values: Values = {}) =>
    fill(key, escapeHtml(read(key)), values, (value) => `<bdi>${escapeHtml(value)}</bdi>`);
  /** A scope's words from configuration, ours for the scopes of OpenID Connect, or its name. */
  const scopeText = ({ name, description }: ConsentScope) =>
    description ?? (Object.hasOwn(texts, `scope.${name}`) ? read(`scope.${name}`) : name);
  return { text, html, scopeText };
}

function refusing<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError([`${file} can't be used: ${reason.trim()}`]);
  }
}

function loadTexts(folders: string[]): TextCatalogue {
  const files = folders.map((folder) => join(folder, 'text', 'en.json')).filter((file) => existsSync(file));
  const read = (file: string) => catalogueSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return Object.assign({}, ...files.map((file) => refusing(file, () => read(file))));
}

function loadTemplates(eta: Eta, folders: string[]): void {
  for (const folder of folders) {
    const names = refusing(folder, () => readdirSync(folder, { recursive: true, encoding: 'utf8' }));
    for (const name of names.filter((each) => each.endsWith('.eta'))) {
      const file = join(folder, name);
      const template = `@${name.slice(0, -'.eta'.length).replaceAll('\\', '/')}`;
      refusing(file, () => eta.loadTemplate(template, readFileSync(file, 'utf8')));
    }
  }
}

/**
 * Draws the pages. Reads and compiles everything at once, so that a bad template stops the start and not a
 * sign-in; afterwards no file is touched.
 *
 * @throws ConfigurationError naming the file, for a missing folder, a bad template or a bad catalogue
 */
export function createRenderer(options: RendererOptions): Renderer {
  const { viewsFolder, appName, assetsPath = '/assets' } = options;
  const folders = [builtInViews, ...(viewsFolder === undefined ? [] : [viewsFolder])];
  const eta = new Eta({ autoEscape: true });
  loadTemplates(eta, folders);
  const texts = { ...loadTexts(folders), ...options.text };
  const { text, html, scopeText } = createTexts(texts, eta.config.escapeFunction);
  const asset = (name: string) => {
    const content = readFileSync(viewFile(join('assets', name), viewsFolder));
    return `${assetsPath}/${name}?v=${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
  };
  const stylesheet = asset('gatehouse.css');
  const icon = asset('gatehouse.svg');
  const tools = { appName, stylesheet, icon, text, html, scopeText, link: linkTo, httpsOnly, hostOf };
  return { text, render: (view, model) => eta.render(`@${view}`, { ...model, ...tools }) };
}
