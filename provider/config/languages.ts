import { value } from './values.ts';

function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

/** Language tags (BCP 47) in their usual spelling, separated by commas or spaces, each once. */
export function languages() {
  const allowed = 'language tags separated by commas or spaces, each once, such as en de pt-BR';
  return value(allowed, (text): readonly [string, ...string[]] | undefined => {
    const tags = text
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(canonical);
    const [first, ...others] = tags.filter((tag) => tag !== undefined);
    if (first === undefined || others.length + 1 < tags.length) return undefined;
    return new Set(tags).size === tags.length ? [first, ...others] : undefined;
  });
}
