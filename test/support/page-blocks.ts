/** A fenced block of a Markdown page. */
export interface Block {
  language: string;
  text: string;
}

/** The fenced blocks of a Markdown page, in order. */
export const blocksOf = (page: string): Block[] =>
  [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
