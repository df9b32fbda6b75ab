import type { Eta } from 'eta/core';
import type { LanguageTexts } from './theme/catalogues.ts';
import { hostOf, httpsOnly, linkTo } from './theme/links.ts';
import type { PageFrame } from './theme/page-frame.ts';
import { createTexts, type Values } from './theme/texts.ts';
import type { ViewModels, ViewName } from './view-models.ts';

/** A rendered page. */
export interface Page {
  html: string;
  /** A language tag (BCP 47). */
  language: string;
}

/** Renders pages in one language. */
export interface Renderer {
  language: string;
  /** Returns the complete page. Send it with `sendPage`. */
  render<View extends ViewName>(view: View, model: ViewModels[View]): Page;
  /** Returns a text of the catalogue as plain text. Throws on an unknown key and on a placeholder without a value. */
  text(key: string, values?: Values): string;
}

/** Creates a renderer from compiled templates, the texts of a language and the frame. */
export function createRenderer(eta: Eta, { language, texts }: LanguageTexts, frame: PageFrame): Renderer {
  const { text, html, scopeText } = createTexts(texts, eta.config.escapeFunction);
  const tools = { ...frame, language, text, html, scopeText, link: linkTo, httpsOnly, hostOf };
  return {
    language,
    text,
    render: (view, model) => ({ language, html: eta.render(`@${view}`, { ...model, ...tools }) }),
  };
}
