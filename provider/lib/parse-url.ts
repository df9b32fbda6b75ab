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

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Takes the port away from an http URI on this machine: the operating system gives an app any free port (RFC 8252 §7.3).
 *
 * @returns undefined for any other URI, and for one that is not written as browsers write it
 */
export function withoutLoopbackPort(uri: string): string | undefined {
  const url = parseUrl(uri);
  const start = `http://${url?.host}`;
  if (url?.protocol !== 'http:' || !loopbackHosts.includes(url.hostname) || !uri.startsWith(start))
    return undefined;
  const rest = uri.slice(start.length);
  return /^$|^[/?]/.test(rest) ? `http://${url.hostname}${rest}` : undefined;
}
