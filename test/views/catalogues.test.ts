import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createPages } from '../../provider/interactions/pages.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { problemsOf, withFolder } from './own-folder.ts';

const folder = join(packageRoot, 'views', 'text');
const catalogues = readdirSync(folder).map((file) => {
  const texts: Record<string, string> = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return { language: file.replace('.json', ''), texts };
});
const english = catalogues.find(({ language }) => language === 'en')?.texts ?? {};

const placeholders = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, text.match(/\{\w+\}/g)?.sort()]));

describe('every built-in catalogue', () => {
  test('is found, and there are several', () => {
    expect(catalogues.map(({ language }) => language)).toEqual(expect.arrayContaining(['en', 'de']));
  });

  test.each(catalogues)(
    '$language has the keys of the English catalogue in the same order, with the same placeholders',
    ({ texts }) => {
      expect(Object.keys(texts)).toEqual(Object.keys(english));
      expect(placeholders(texts)).toEqual(placeholders(english));
      expect(Object.entries(texts).filter(([, text]) => text.trim() !== text || text === '')).toEqual([]);
    },
  );

  test('has no untranslated English text', () => {
    const alike = catalogues
      .filter(({ language }) => language !== 'en')
      .flatMap(({ texts }) => Object.keys(texts).filter((key) => texts[key] === english[key]));
    // These are a direction, a pattern without words, a word that is the same in both languages, and a protocol term.
    expect(new Set(alike)).toEqual(new Set(['page.dir', 'page.title', 'consent.api', 'home.issuer']));
  });
});

describe('a configured language', () => {
  const french = { 'page.dir': 'ltr', 'sign-in.title': 'Se connecter' };
  const offer = (files: Record<string, object>, ...languages: [string, ...string[]]) => {
    const written = Object.entries(files).map(([name, texts]) => [
      `text/${name}.json`,
      JSON.stringify(texts),
    ]);
    return withFolder(Object.fromEntries(written), (viewsFolder) => {
      const problems = problemsOf({ viewsFolder, languages });
      const pages = problems.length === 0 && createPages({ appName: 'Acme', viewsFolder, languages });
      return { problems, pages };
    });
  };

  test('may lack texts: English texts replace them, and the missing keys are reported', () => {
    const { pages } = offer({ fr: french }, 'fr', 'en');
    if (!pages) throw new Error('refused');
    const renderer = pages.for({ acceptLanguage: 'fr' });
    expect(renderer.text('sign-in.title')).toBe('Se connecter');
    expect(renderer.text('sign-in.submit')).toBe('Sign in');
    const [lacking, ...others] = pages.missingTexts;
    expect(others).toEqual([]);
    expect(lacking?.language).toBe('fr');
    expect(lacking?.keys).toEqual(Object.keys(english).filter((key) => !(key in french)));
  });

  test('may be a variant with only the texts that differ', () => {
    const { pages } = offer({ 'de-CH': { 'sign-in.no-account': 'Noch kein Login?' } }, 'de-CH', 'de', 'en');
    if (!pages) throw new Error('refused');
    const swiss = pages.for({ acceptLanguage: 'de-CH' });
    expect(swiss.text('sign-in.no-account')).toBe('Noch kein Login?');
    expect(swiss.text('sign-in.submit')).toBe('Anmelden');
    expect(swiss.render('signed-out', {}).html).toContain('<html lang="de-CH" dir="ltr">');
    expect(pages.for({ acceptLanguage: 'de-AT' }).text('sign-in.no-account')).toBe('Noch kein Konto?');
    expect(pages.missingTexts).toEqual([]);
  });

  test.each<[string, Record<string, object>, string]>([
    [
      'that has no catalogue',
      {},
      'GATEHOUSE_LANGUAGES names fr, which has no texts. Put them into text/fr.json',
    ],
    ['that has no writing direction', { fr: { 'sign-in.title': 'x' } }, '"page.dir": "ltr" or "rtl"'],
    [
      'with an unknown placeholder',
      { fr: { ...french, 'sign-in.purpose': 'vers {clinet}' } },
      'The text "sign-in.purpose" of fr uses {clinet}, but it gets {client}.',
    ],
    [
      'that is not flat',
      { fr: { ...french, error: { code: 'x' } } },
      'at "error": every text must be a string',
    ],
  ])('%s prevents the start', (_name, files, problem) => {
    const { problems } = offer(files, 'en', 'fr');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});
