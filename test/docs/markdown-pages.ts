import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { blocksOf } from '../support/page-blocks.ts';

/** The files of this repository, also new ones, without those that git ignores. */
export const repositoryFiles = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));

/** The pages that describe the product as it is. The changelog and the decisions also describe the past. */
export const pages = repositoryFiles
  .filter((path) => path.endsWith('.md') && !/^CHANGELOG|^docs\/decisions\//.test(path))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

/** The code in the sentences and tables of a Markdown text, each piece on one line. */
export function codeIn(text: string): string[] {
  const paragraphs = text.replace(/^( *)```[\s\S]*?^\1```$/gm, '').split(/\n\s*\n|\|/);
  return paragraphs
    .flatMap((one) => [...one.matchAll(/`([^`]+)`/g)])
    .map(([, code = '']) => code.replace(/\s+/g, ' '));
}

/** The lines of the shell blocks of a Markdown text, without comments. A line that goes on in the next one is joined. */
export function shellLinesIn(text: string): string[] {
  const shell = blocksOf(text).filter(({ language }) => language === 'sh');
  const lines = shell.flatMap((block) => block.text.replaceAll('\\\n', ' ').split('\n'));
  return lines.map((line) => line.replace(/(^|\s)#.*$/, '').trim()).filter((line) => line !== '');
}
