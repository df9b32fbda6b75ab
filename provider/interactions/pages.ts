import { ConfigurationError } from '../lib/errors.ts';
import { createMailRenderer, type MailRenderer } from './mail-renderer.ts';
import { createRenderer, type Renderer } from './render.ts';
import { checkPlaceholders, loadCatalogues } from './theme/catalogues.ts';
import { acceptedLanguages, lookUp, namedLanguages } from './theme/language.ts';
import { type BrandOptions, loadPageAssets, type PageAssets } from './theme/page-assets.ts';
import { createPageFrame, type FrameOptions } from './theme/page-frame.ts';
import { loadTemplates } from './theme/templates.ts';
import { viewsFolders } from './theme/views-folders.ts';

/**
 * `appName` is the name of this server that people see. `assetsPath` is the path of the assets; the default is
 * `/assets`.
 */
export interface PagesOptions extends BrandOptions, FrameOptions {
  /** The offered languages, with the default language first. If undefined, only English is offered. */
  languages?: readonly [string, ...string[]] | undefined;
  /**
   * A folder with the same structure as `views/`. Its files replace the built-in files of the same name. Its catalogues
   * may contain only some of the texts. Templates are code, so only the operator of the server may write to this
   * folder.
   */
  viewsFolder?: string | undefined;
}

/** The available information about the language that a person prefers. */
export interface LanguageWish {
  /** The `ui_locales` of the request: language tags, separated by spaces (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** The `Accept-Language` header of the browser. */
  acceptLanguage?: string | undefined;
}

/** The parts of a request that determine the language. It may be our request or one of the library's. */
export interface LanguageSource {
  get(header: string): string;
  query: Record<string, unknown>;
  /** `uiLocales` of the authorization request that an interaction belongs to. */
  state: { uiLocales?: unknown };
  oidc?: { params?: Record<string, unknown> | undefined };
}

export interface Pages {
  languages: readonly [string, ...string[]];
  for(wish: LanguageWish): Renderer;
  /**
   * Returns the renderer for a request. Its language comes from `ui_locales`, else from `Accept-Language` (RFC 9110
   * §12.5.4), else it is the default.
   */
  of(ctx: LanguageSource): Renderer;
  /** Renders mails, in the same look. */
  mails: MailRenderer;
  assets: PageAssets;
  /** The texts that a language lacks, so that they appear in English. */
  missingTexts: readonly { language: string; keys: string[] }[];
}

/**
 * Reads and compiles all templates, texts and assets at the start. So a bad template prevents the start and does not
 * break a sign-in later. No file is read afterwards. The folder theme/ loads these files and does not depend on
 * requests.
 *
 * @throws ConfigurationError with all problems, each with its file or setting
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
    mails: createMailRenderer(eta, catalogues, options),
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
