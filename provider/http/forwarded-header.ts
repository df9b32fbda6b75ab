const tokenCharacter = /[\w!#$%&'*+.^`|~-]/;

/**
 * The standard requires quotes around addresses and hosts that have a port. Many proxies leave them out, and the
 * meaning is still clear.
 */
const bareCharacter = /[\w!#$%&'*+.^`|~:[\]-]/;

/**
 * Returns the `for` value of each element of a `Forwarded` header (RFC 7239 §4), nearest first. The list ends at the
 * first element that has none or can't be parsed.
 *
 * The header is parsed from its end, where the nearest proxy added its element. So nothing that a more distant sender
 * wrote before it can change the result, not even a quote that is never closed.
 */
export function* forwardedFor(text: string): Generator<string> {
  const reader = createReader(text);
  while (!reader.isDone()) {
    const element = reader.element();
    if (element === undefined) return;
    if (element.size === 0) continue;
    const value = element.get('for');
    if (value === undefined) return;
    yield value;
  }
}

/** Parses backwards. The result is undefined when the text can't be parsed. */
function createReader(text: string) {
  let end = text.length;
  const last = () => text[end - 1] ?? '';

  const skipSpace = () => {
    while (last() === ' ' || last() === '\t') end -= 1;
  };

  const run = (character: RegExp): string | undefined => {
    const stop = end;
    while (end > 0 && character.test(last())) end -= 1;
    return end === stop ? undefined : text.slice(end, stop);
  };

  const isEscaped = (at: number): boolean => {
    let first = at;
    while (text[first - 1] === '\\') first -= 1;
    return (at - first) % 2 === 1;
  };

  const quoted = (): string | undefined => {
    const close = end - 1;
    let open = text.lastIndexOf('"', close - 1);
    while (open > 0 && isEscaped(open)) open = text.lastIndexOf('"', open - 1);
    if (close === 0 || open < 0 || isEscaped(close)) return undefined;
    end = open;
    return text.slice(open + 1, close).replace(/\\(.)/g, '$1');
  };

  const pair = (): [name: string, value: string] | undefined => {
    const value = last() === '"' ? quoted() : run(bareCharacter);
    if (value === undefined || last() !== '=') return undefined;
    end -= 1;
    const name = run(tokenCharacter)?.toLowerCase();
    return name === undefined ? undefined : [name, value];
  };

  /**
   * Parses an element back to the comma before it, and consumes that comma. An element with a duplicate parameter can't
   * be parsed.
   */
  const element = (): Map<string, string> | undefined => {
    const pairs = new Map<string, string>();
    for (;;) {
      skipSpace();
      if (end > 0 && last() !== ',' && last() !== ';') {
        const read = pair();
        if (read === undefined || pairs.has(read[0])) return undefined;
        pairs.set(...read);
        skipSpace();
      }
      if (end === 0) return pairs;
      const delimiter = last();
      end -= 1;
      if (delimiter === ',') return pairs;
      if (delimiter !== ';') return undefined;
    }
  };

  return { element, isDone: () => end === 0 };
}
