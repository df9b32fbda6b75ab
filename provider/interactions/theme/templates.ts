import { join } from 'node:path';
import { Eta } from 'eta/core';
import type { LanguageTexts } from './catalogues.ts';
import { builtInViews, type Complain, filesBelow, readingView } from './views-folders.ts';

const nameOf = (file: string) => `@${file.slice(0, -'.eta'.length)}`;

/** The names that a custom template may use. */
export interface Known {
  catalogues: readonly LanguageTexts[];
  hasAsset(name: string): boolean;
}

/**
 * Compiles every template of the folders. A template in a later folder replaces the one of the same name in an earlier
 * folder. A template is reported if it doesn't compile, or if it names a text, file or template that doesn't exist.
 * This happens at the start, and not at a sign-in.
 */
export function loadTemplates(folders: readonly string[], known: Known, complain: Complain): Eta {
  const eta = new Eta({ autoEscape: true });
  const files = folders.flatMap((folder) => filesBelow(folder).map((name) => ({ folder, name })));
  const templates = files.filter(({ name }) => name.endsWith('.eta'));
  const names = new Set(templates.map(({ name }) => nameOf(name)));
  for (const { folder, name } of templates) {
    const file = join(folder, name);
    readingView(file, complain, (source) => {
      eta.loadTemplate(nameOf(name), source);
      if (folder !== builtInViews)
        checkNames(source, { ...known, names }, (what) => complain(`${file}: ${what}`));
    });
  }
  return eta;
}

const literals = (source: string, call: string) =>
  [...source.matchAll(new RegExp(`\\b(?:${call})\\(\\s*(?<quote>['"])(?<name>[^'"]+)\\k<quote>`, 'g'))].map(
    ({ groups }) => groups?.name ?? '',
  );

/**
 * Checks the names that are written literally in the template. Names that are composed during rendering can't be
 * checked here.
 */
function checkNames(source: string, known: Known & { names: ReadonlySet<string> }, complain: Complain): void {
  for (const key of literals(source, 'it\\.text|it\\.html')) {
    const without = known.catalogues.filter(({ texts }) => !Object.hasOwn(texts, key));
    if (without.length > 0)
      complain(`there is no text "${key}" in ${without.map(({ language }) => language).join(', ')}.`);
  }
  for (const name of literals(source, 'include|layout'))
    if (!known.names.has(name)) complain(`there is no template "${name}".`);
  for (const name of literals(source, 'it\\.asset'))
    if (!known.hasAsset(name)) complain(`there is no file "${name}" in assets/.`);
}
