/**
 * Parses a URL, relative ones only with a base; gives undefined when the text is none. `URL.canParse` is not used anywhere: in Node 20 it
 * refuses texts with characters such as `ü` after it was called many times.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
