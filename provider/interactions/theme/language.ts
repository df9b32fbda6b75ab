/**
 * The maximum number of preferences. The rest of a longer list is ignored, because such a list does not come from a
 * person.
 */
const mostRanges = 50;

/**
 * The maximum length of a tag. No tag in use is longer (RFC 5646 §4.4.1 gives 35 for most). The limit matters because
 * each truncation of a tag costs time in proportion to its length.
 */
const longestRange = 100;

/** Returns a tag and its truncations from the end: `de-CH-1996` gives `de-CH-1996`, `de-CH`, `de` (RFC 4647 §3.4). */
export function truncations(tag: string): string[] {
  const parts = tag.split('-');
  const shorter = parts.map((_part, index) => parts.slice(0, parts.length - index));
  // A single letter only introduces the subtag after it.
  return shorter.filter((each) => each.at(-1)?.length !== 1).map((each) => each.join('-'));
}

const weighted = /^(?<range>\*|[a-z]{1,8}(-[a-z0-9]{1,8})*)(\s*;\s*q=(?<q>0(\.\d{0,3})?|1(\.0{0,3})?))?$/i;

/**
 * Returns the languages of an `Accept-Language` header, most preferred first (RFC 9110 §12.5.4). Entries that can't be
 * parsed are left out.
 */
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

/** Returns the languages of `ui_locales`, most preferred first (OpenID Connect Core §3.1.2.1). */
export const namedLanguages = (uiLocales: string): string[] => uiLocales.split(' ', mostRanges);

/**
 * Returns the first wanted language that is offered, either the whole tag or a truncation of it (RFC 4647 §3.4,
 * lookup). A tag that is too long for a language is skipped.
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
