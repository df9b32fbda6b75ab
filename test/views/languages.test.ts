import { describe, expect, test } from '@jest/globals';
import { createPages } from '../../provider/interactions/pages.ts';
import {
  acceptedLanguages,
  lookUp,
  namedLanguages,
  truncations,
} from '../../provider/interactions/theme/language.ts';

test.each([
  ['de', ['de']],
  ['de-CH-1996', ['de-CH-1996', 'de-CH', 'de']],
  ['zh-Hant-CN-x-private1', ['zh-Hant-CN-x-private1', 'zh-Hant-CN', 'zh-Hant', 'zh']],
])('%s is shortened to %j', (tag, cut) => {
  expect(truncations(tag)).toEqual(cut);
});

describe('Accept-Language', () => {
  test.each([
    ['', []],
    ['de', ['de']],
    ['da, en-gb;q=0.8, en;q=0.7', ['da', 'en-gb', 'en']],
    ['en;q=0.5,de-CH', ['de-CH', 'en']],
    ['fr;q=0.8 , de ; q=0.9,*;q=0.1', ['de', 'fr', '*']],
    ['en;q=0, de;q=0.001', ['de']],
    ['en;q=2, de;q=x, ../../etc, fr;level=1, <b>, it', ['it']],
  ])('%j requests %j', (header, wanted) => {
    expect(acceptedLanguages(header)).toEqual(wanted);
  });

  test('of any length is read quickly', () => {
    expect(acceptedLanguages('a-'.repeat(100_000)).length).toBe(0);
    expect(acceptedLanguages('de,'.repeat(100_000)).length).toBeLessThanOrEqual(50);
  });
});

test.each([
  [['de-CH'], 'de'],
  [['DE'], 'de'],
  [['fr', 'de-AT-1996', 'en'], 'de'],
  [['pt'], undefined],
  [['pt-br'], 'pt-BR'],
  [['*'], 'en'],
  [['fr', '*'], 'en'],
  [[], undefined],
])('a request for %j gets %s', (wanted, found) => {
  expect(lookUp(wanted, ['en', 'de', 'pt-BR'])).toBe(found);
});

test('a requested language longer than any real one is ignored, because shortening it would take minutes', () => {
  const endless = `de${'-aa'.repeat(20_000)}`;
  expect(lookUp([endless, 'pt-BR'], ['en', 'de', 'pt-BR'])).toBe('pt-BR');
  expect(lookUp(acceptedLanguages(endless), ['en', 'de'])).toBeUndefined();
  expect(lookUp(namedLanguages(endless), ['en', 'de'])).toBeUndefined();
});

describe('the language of a page', () => {
  const pages = createPages({ appName: 'Gatehouse', languages: ['en', 'de'] });

  test.each([
    [{}, 'en'],
    [{ acceptLanguage: 'de-CH,de;q=0.9,en;q=0.8' }, 'de'],
    [{ uiLocales: 'de', acceptLanguage: 'en' }, 'de'],
    [{ uiLocales: 'fr-CA de-AT', acceptLanguage: 'en' }, 'de'],
    [{ uiLocales: 'fr', acceptLanguage: 'de' }, 'de'],
    [{ uiLocales: '', acceptLanguage: 'fr' }, 'en'],
    [{ uiLocales: '../../etc/passwd', acceptLanguage: 'xx' }, 'en'],
    [{ uiLocales: '__proto__ constructor' }, 'en'],
  ])('for %j is %s', (wish, language) => {
    expect(pages.for(wish).language).toBe(language);
  });

  test('is in the page, with its direction', () => {
    const { html, language } = pages.for({ uiLocales: 'de' }).render('signed-out', {});
    expect(language).toBe('de');
    expect(html).toContain('<html lang="de" dir="ltr">');
    expect(html).toContain('Sie sind abgemeldet');
  });

  test('of a request comes from its parsed parameters or from its URL', () => {
    const get = () => 'en';
    const of = (request: object) => pages.of({ get, query: {}, state: {}, ...request }).language;
    expect(of({})).toBe('en');
    expect(of({ oidc: { params: { ui_locales: 'de' } } })).toBe('de');
    expect(of({ oidc: {}, query: { ui_locales: 'de' } })).toBe('de');
    expect(of({ query: { ui_locales: ['de', 'en'] } })).toBe('en');
    expect(of({ state: { uiLocales: 'de' }, query: { ui_locales: 'en' } })).toBe('de');
  });
});
