import { ConfigurationError } from '../lib/errors.ts';
import { createRenderer, type Renderer } from './render.ts';
import { checkPlaceholders, loadCatalogues } from './theme/catalogues.ts';
import { acceptedLanguages, lookUp, namedLanguages } from './theme/language.ts';
import { type BrandOptions, loadPageAssets, type PageAssets } from './theme/page-assets.ts';
import { createPageFrame, type FrameOptions } from './theme/page-frame.ts';
import { loadTemplates } from './theme/templates.ts';
import { viewsFolders } from './theme/views-folders.ts';

/** `appName` is what people know this server as; `assetsPath` where assets are served, `/assets` unless told. */
export interface PagesOptions extends BrandOptions, FrameOptions {
  /** Offered, the default first. English alone unless told. */
  languages?: readonly [string, ...string[]] | undefined;
  /**
   * A folder laid out like `views/`: what is there replaces the built-in file of that name; catalogues may hold some
   * texts only. Templates are code: the folder belongs to whoever runs the server.
   */
  viewsFolder?: string | undefined;
}

/** What is known of the language that somebody wants. */
export interface LanguageWish {
  /** The request's own, language tags separated by spaces (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** The browser's header. */
  acceptLanguage?: string | undefined;
}

/** A request as far as a language can be told from it: ours, or one of the library's. */
export interface LanguageSource {
  get(header: string): string;
  query: Record<string, unknown>;
  /** `uiLocales` of the authorization request that waits behind an interaction. */
  state: { uiLocales?: unknown };
  oidc?: { params?: Record<string, unknown> | undefined };
}

export interface Pages {
  languages: readonly [string, ...string[]];
  for(wish: LanguageWish): Renderer;
  /** For a request: by its `ui_locales`, else its `Accept-Language` (RFC 9110 §12.5.4), else the default. */
  of(ctx: LanguageSource): Renderer;
  assets: PageAssets;
  /** Texts a language has in English only. */
  missingTexts: readonly { language: string; keys: string[] }[];
}

/**
 * Reads and compiles all templates, texts and assets at the start, so that a bad template prevents the start and does
 * not break a sign-in. No file is read afterwards. The folder theme/ loads these files; it knows nothing of requests.
 *
 * @throws ConfigurationError with all problems, each naming its file or setting
 */
export function createPages(options: PagesOptions): Pages {
  const problems: string[] = [];
  const complain = (problem: string) => void problems.push(problem);
  const languages = options.languages ?? (['en'] as const);
  const folders = viewsFolders(options.viewsFolder, complain);
  const catalogues = loadCatalogues(languages, { folders, complain });
  checkPlaceholders(catalogues, complain);
  const { assets, names } = loadPageAssets(folders, options, complain);
  const known = { catalogues, hasAsset: (name: string) => assets.has(name) };
  const eta = loadTemplates(folders, known, complain);
  if (problems.length > 0) throw new ConfigurationError([...new Set(problems)]);

  const frame = createPageFrame(options, assets, names);
  const renderers = new Map(catalogues.map((each) => [each.language, createRenderer(eta, each, frame)]));
  const find: Pages['for'] = ({ uiLocales = '', acceptLanguage = '' }) => {
    const language =
      lookUp(namedLanguages(uiLocales), languages) ?? lookUp(acceptedLanguages(acceptLanguage), languages);
    const renderer = renderers.get(language ?? languages[0]);
    if (renderer === undefined) throw new Error(`there is no renderer for ${language}`);
    return renderer;
  };
  return {
    languages,
    for: find,
    of: (ctx) => find(wishOf(ctx)),
    assets,
    missingTexts: catalogues
      .filter(({ missing }) => missing.length > 0)
      .map(({ language, missing }) => ({ language, keys: missing })),
  };
}

function wishOf(ctx: LanguageSource): LanguageWish {
  const uiLocales = ctx.state.uiLocales ?? ctx.oidc?.params?.ui_locales ?? ctx.query.ui_locales;
  return {
    uiLocales: typeof uiLocales === 'string' ? uiLocales : undefined,
    acceptLanguage: ctx.get('Accept-Language'),
  };
}
