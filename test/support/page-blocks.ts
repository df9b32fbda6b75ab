/** A fenced block of a Markdown page. */
export interface Block {
  language: string;
  text: string;
}

/** The fenced blocks of a Markdown page, in order, also those in lists. */
export const blocksOf = (page: string): Block[] =>
  [...page.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', text = '']) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
