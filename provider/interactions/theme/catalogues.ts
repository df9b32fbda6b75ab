import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { truncations } from './language.ts';
import { builtInViews, type Complain, readingView } from './views-folders.ts';

/** Every text of the pages by its key, with `{placeholders}`. */
export type TextCatalogue = Record<string, string>;

export interface LanguageTexts {
  language: string;
  texts: TextCatalogue;
  /** Keys that have no text in this language. The English text is used instead. */
  missing: string[];
}

const schema = z.record(
  z.string(),
  z.string('every text must be a string'),
  'it must hold texts by their keys: {"sign-in.title": "…"}',
);

/** The fallback language of all others. It has all of our texts. */
const complete = 'en';

const placeholders = (text: string) => new Set(text.match(/\{\w+\}/g));

interface Source {
  folders: readonly string[];
  complain: Complain;
}

/** Loads the texts of each language. Reports a language that has no texts or invalid ones. */
export function loadCatalogues(languages: readonly string[], source: Source): LanguageTexts[] {
  const english = chain(complete, source).texts;
  return languages.map((language) => {
    const { files, readable, texts: own } = chain(language, source);
    if (files.length === 0) source.complain(noCatalogue(language));
    else if (readable && !['ltr', 'rtl'].includes(own['page.dir'] ?? ''))
      source.complain(`The texts of ${language} must say "page.dir": "ltr" or "rtl", the way it is written.`);
    const missing = Object.keys(english).filter((key) => !Object.hasOwn(own, key));
    return { language, texts: { ...english, ...own }, missing };
  });
}

const noCatalogue = (language: string) =>
  `GATEHOUSE_LANGUAGES names ${language}, which has no texts. Put them into text/${language}.json of the folder GATEHOUSE_VIEWS_FOLDER, or leave it out.`;

/**
 * Returns the texts of the language's own catalogue. For a text that it lacks, the catalogue of the more general
 * language is used.
 */
function chain(language: string, { folders, complain }: Source) {
  const files = truncations(language)
    .reverse()
    .flatMap((tag) => folders.map((folder) => join(folder, 'text', `${tag}.json`)))
    .filter((file) => existsSync(file));
  const read = files.map((file) => readingView(file, complain, parseCatalogue));
  const texts: TextCatalogue = Object.assign({}, ...read);
  return { files, readable: read.every((each) => each !== undefined), texts };
}

function parseCatalogue(text: string): TextCatalogue {
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `at "${issue.path.join('.')}": ` : '';
  throw new Error(where + issue?.message);
}

/** Reports texts that use placeholders for which they get no value. */
export function checkPlaceholders(catalogues: readonly LanguageTexts[], complain: Complain): void {
  const { texts: ours } = chain(complete, { folders: [builtInViews], complain });
  for (const { language, texts, missing } of catalogues) {
    for (const [key, text] of Object.entries(texts).filter(([each]) => !missing.includes(each))) {
      const given = placeholders(ours[key] ?? text);
      const unknown = [...placeholders(text)].filter((name) => !given.has(name));
      if (unknown.length === 0) continue;
      const known = given.size === 0 ? 'it gets none' : `it gets ${[...given].join(', ')}`;
      complain(`The text "${key}" of ${language} uses ${unknown.join(', ')}, but ${known}.`);
    }
  }
}
