/** More preferences than any person has; the rest of a longer list isn't looked at. */
const mostRanges = 50;

/** Longer than any tag in use (RFC 5646 §4.4.1 gives 35 for most): each cut of one costs as much as it is long. */
const longestRange = 100;

/** A tag and what remains of it from the end: `de-CH-1996` gives `de-CH-1996`, `de-CH`, `de` (RFC 4647 §3.4). */
export function truncations(tag: string): string[] {
  const parts = tag.split('-');
  const shorter = parts.map((_part, index) => parts.slice(0, parts.length - index));
  // A single letter only introduces what follows it.
  return shorter.filter((each) => each.at(-1)?.length !== 1).map((each) => each.join('-'));
}

const weighted = /^(?<range>\*|[a-z]{1,8}(-[a-z0-9]{1,8})*)(\s*;\s*q=(?<q>0(\.\d{0,3})?|1(\.0{0,3})?))?$/i;

/** The languages of an `Accept-Language` header, most wanted first (RFC 9110 §12.5.4). What can't be read is left out. */
export function acceptedLanguages(header: string): string[] {
  return header
    .split(',', mostRanges)
    .flatMap((part) => {
      const { range, q } = weighted.exec(part.trim())?.groups ?? {};
      return range === undefined ? [] : [{ range, q: Number(q ?? 1) }];
    })
    .filter(({ q }) => q > 0)
    .sort((one, other) => other.q - one.q)
    .map(({ range }) => range);
}

/** The languages of `ui_locales`, most wanted first (OpenID Connect Core §3.1.2.1). */
export const namedLanguages = (uiLocales: string): string[] => uiLocales.split(' ', mostRanges);

/**
 * The first of the wanted languages that is offered, whole or cut from its end (RFC 4647 §3.4, lookup). One too long to be a
 * language is passed over.
 */
export function lookUp(wanted: readonly string[], offered: readonly string[]): string | undefined {
  for (const range of wanted.filter(({ length }) => length <= longestRange)) {
    if (range === '*') return offered[0];
    for (const tag of truncations(range.toLowerCase())) {
      const found = offered.find((language) => language.toLowerCase() === tag);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
