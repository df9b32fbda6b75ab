import { readFileSync } from 'node:fs';
import type { Complain } from './views-folders.ts';

export interface BrandImage {
  extension: 'svg' | 'png' | 'webp';
  content: Buffer;
}

const mostBytes = 100 * 1024;

/** Detects the type by the content. The response names this type, and the browser must not guess another one. */
function kindOf(content: Buffer): BrandImage['extension'] | undefined {
  if (content.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return 'png';
  if (content.toString('latin1', 0, 4) === 'RIFF' && content.toString('latin1', 8, 12) === 'WEBP')
    return 'webp';
  return isSvg(content) ? 'svg' : undefined;
}

function isSvg(content: Buffer): boolean {
  if (!Buffer.from(content.toString('utf8')).equals(content)) return false;
  const prologue = /^\uFEFF?\s*(<\?xml[^>]*\?>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE svg[^>[]*>\s*)*/;
  const root = content.toString('utf8').replace(prologue, '');
  // A browser does not display an SVG without this namespace.
  return /^<svg\s[^>]*\bxmlns\s*=\s*["']http:\/\/www\.w3\.org\/2000\/svg["']/.test(root);
}

/**
 * Reads the picture that a setting names. Reports a problem and returns undefined if the file isn't a usable picture.
 * @param setting the name of the variable, for the problem message
 */
export function readBrandImage(setting: string, file: string, complain: Complain): BrandImage | undefined {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complain(`${setting}: the file ${file} can't be read (${code}). Check the path and its permissions.`);
    return undefined;
  }
  if (content.length > mostBytes) {
    const kib = Math.ceil(content.length / 1024);
    complain(
      `${setting}: the file ${file} has ${kib} KiB, and at most 100 are taken. Make the picture smaller.`,
    );
    return undefined;
  }
  const extension = kindOf(content);
  if (extension === undefined)
    complain(
      `${setting}: the file ${file} is no SVG (with its xmlns), PNG or WebP picture. Save it as one of these.`,
    );
  return extension && { extension, content };
}
