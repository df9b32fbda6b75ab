import type { ConsentScope } from '../view-values.ts';
import type { TextCatalogue } from './catalogues.ts';

export type Values = Record<string, string | number>;

/** The texts of one language, for templates and code. */
export interface Texts {
  /** Returns plain text. Throws on an unknown key and on a placeholder without a value. */
  text(key: string, values?: Values): string;
  /**
   * Returns HTML. Each value is isolated, so that its text direction or unusual characters can't reorder our sentence.
   */
  html(key: string, values?: Values): string;
  /** Returns the description of a scope: from the catalogue, else from the configuration, else the scope's name. */
  scopeText(scope: ConsentScope): string;
}

function fill(key: string, text: string, values: Values, show: (value: string) => string): string {
  return text.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The text '${key}' needs a value for {${name}}.`);
    return show(String(value));
  });
}

export function createTexts(texts: TextCatalogue, escapeHtml: (value: string) => string): Texts {
  const find = (key: string) => (Object.hasOwn(texts, key) ? texts[key] : undefined);
  const read = (key: string) => {
    const text = find(key);
    if (text === undefined) throw new Error(`There is no text '${key}' in the catalogue.`);
    return text;
  };
  return {
    text: (key, values = {}) => fill(key, read(key), values, (value) => value),
    html: (key, values = {}) =>
      fill(key, escapeHtml(read(key)), values, (value) => `<bdi>${escapeHtml(value)}</bdi>`),
    scopeText: ({ name, description }) => find(`scope.${name}`) ?? description ?? name,
  };
}
