import { readProduct, readSources } from '../support/architecture/sources.ts';

export interface LoggedMessage {
  level: string;
  text: string;
  /** The file that logs the message, relative to `provider/`. */
  path: string;
}

const call = /(?:\b|#)logger(?:\?)?\.(?<level>debug|info|warn|error)\(/g;
const dynamic = /\blogger\??\.?\[/;

/** Every message that the program can log, from its source text. Throws if a message isn't a fixed text. */
export function loggedMessages(root?: string): LoggedMessage[] {
  return (root === undefined ? readProduct() : readSources(root)).flatMap(({ path, code }) => {
    if (dynamic.test(code)) throw new Error(`${path}: a level must be fixed, as in logger.info(…)`);
    return [...code.matchAll(call)].map((match) => {
      const written = lastArgument(code.slice((match.index ?? 0) + match[0].length));
      const text = /^(?:'(?<single>[^'\n]*)'|"(?<double>[^"\n]*)")$/.exec(written)?.groups;
      if (!text) throw new Error(`${path}: a message must be a fixed text, not ${written}`);
      return { level: match.groups?.level ?? '', text: text.single ?? text.double ?? '', path };
    });
  });
}

/** The last argument of a call, given the text after its opening bracket. */
function lastArgument(text: string): string {
  let depth = 0;
  let quote = '';
  let start = 0;
  let last = '';
  for (const [index, character] of [...text].entries()) {
    if (quote !== '') {
      if (character === quote && text[index - 1] !== '\\') quote = '';
    } else if (/['"`]/.test(character)) quote = character;
    else if (/[([{]/.test(character)) depth += 1;
    else if (character === ',' && depth === 0) {
      last = text.slice(start, index).trim() || last;
      start = index + 1;
    } else if (/[)\]}]/.test(character)) {
      depth -= 1;
      if (depth < 0) return text.slice(start, index).trim() || last;
    }
  }
  throw new Error('a call without an end');
}
