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
  /** Whether it loads our script: `layout.eta` adds it to pages with a password or a passkey. */
  hasScript: boolean;
}

/** Renders pages in one language. */
export interface Renderer {
  language: string;
  /** Returns the complete page. Send it with `sendPage`. */
  render<View extends ViewName>(view: View, model: ViewModels[View]): Page;
  /** Returns a text of the catalogue as plain text. Throws on an unknown key and on a placeholder without a value. */
  text(key: string, values?: Values): string;
}

/** Whether the page has a password or a passkey. What people type is escaped, so only a template can write this. */
const usesScript = (html: string) => / data-(?:reveal|passkey)="/.test(html);

/** Creates a renderer from compiled templates, the texts of a language and the frame. */
export function createRenderer(eta: Eta, { language, texts }: LanguageTexts, frame: PageFrame): Renderer {
  const { text, html, scopeText } = createTexts(texts, eta.config.escapeFunction);
  const tools = { ...frame, language, text, html, scopeText, link: linkTo, httpsOnly, hostOf, usesScript };
  return {
    language,
    text,
    render: (view, model) => {
      const html = eta.render(`@${view}`, { ...model, ...tools });
      return { language, html, hasScript: usesScript(html) };
    },
  };
}
