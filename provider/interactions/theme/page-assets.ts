import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccentShades, accentForDark, accentShades } from '../../lib/accent.ts';
import { type BrandImage, readBrandImage } from './brand-image.ts';
import { type Complain, filesBelow } from './views-folders.ts';

/** A file of the pages that is served under `/assets/{name}`. */
export interface PageAsset {
  name: string;
  /** The media type. */
  type: string;
  content: Buffer;
  /** Changes when the content changes. */
  version: string;
}

/** Custom pictures and colours, all optional. Colours are written as `#rrggbb`. */
export interface BrandOptions {
  logoFile?: string | undefined;
  logoDarkFile?: string | undefined;
  iconFile?: string | undefined;
  accentColor?: string | undefined;
  accentColorDark?: string | undefined;
}

export type PageAssets = ReadonlyMap<string, PageAsset>;

/** The allowed file types: stylesheets and pictures. The only script is `scriptName`. */
const types: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webp: 'image/webp',
  jpg: 'image/jpeg',
};

export const stylesheetName = 'gatehouse.css';
export const scriptName = 'gatehouse.js';
export const defaultIconName = 'gatehouse.svg';

const extensionOf = (name: string) => name.slice(name.lastIndexOf('.') + 1).toLowerCase();

function asset(name: string, content: Buffer): PageAsset {
  const version = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const type = name === scriptName ? 'text/javascript; charset=utf-8' : (types[extensionOf(name)] ?? '');
  return { name, type, content, version };
}

/** Reads `assets/` of every folder. A file in a later folder replaces the file of the same name in an earlier one. */
function readFolders(folders: readonly string[], complain: Complain): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const folder of folders.map((each) => join(each, 'assets'))) {
    for (const name of filesBelow(folder)) {
      const file = join(folder, name);
      const isAllowed = name === scriptName || types[extensionOf(name)] !== undefined;
      if (/^[\w.-]+$/.test(name) && isAllowed) contents.set(name, readFileSync(file));
      else
        complain(
          `${file} can't be served: in assets/ there may be ${Object.keys(types).join(', ')} files, named with letters, digits, - and _.`,
        );
    }
  }
  return contents;
}

/** The asset names of the brand's pictures. */
export interface BrandNames {
  icon: string;
  logo?: string | undefined;
  logoDark?: string | undefined;
}

/** Reads every file of the pages once. Files that can't be used are reported. */
export function loadPageAssets(
  folders: readonly string[],
  brand: BrandOptions,
  complain: Complain,
): { assets: PageAssets; names: BrandNames } {
  const contents = readFolders(folders, complain);
  const add = (name: string, setting: string, file: string | undefined): string | undefined => {
    const image: BrandImage | undefined =
      file === undefined ? undefined : readBrandImage(setting, file, complain);
    if (image === undefined) return undefined;
    const fullName = `${name}.${image.extension}`;
    contents.set(fullName, image.content);
    return fullName;
  };
  const names = {
    icon: add('brand-icon', 'GATEHOUSE_ICON_FILE', brand.iconFile) ?? defaultIconName,
    logo: add('brand-logo', 'GATEHOUSE_LOGO_FILE', brand.logoFile),
    logoDark: add('brand-logo-dark', 'GATEHOUSE_LOGO_DARK_FILE', brand.logoDarkFile),
  };
  const style = contents.get(stylesheetName);
  if (style && brand.accentColor)
    contents.set(
      stylesheetName,
      Buffer.concat([style, Buffer.from(accentStyle(brand.accentColor, brand.accentColorDark))]),
    );
  const assets = [...contents].map(([name, content]) => [name, asset(name, content)] as const);
  return { assets: new Map(assets), names };
}

const rootRule = ({ accent, accentStrong, onAccent }: AccentShades) =>
  `:root { --accent: ${accent}; --accent-strong: ${accentStrong}; --on-accent: ${onAccent}; }`;

/**
 * Returns CSS rules that replace the built-in accent colour. They come last in the stylesheet. Colours are written as
 * `#rrggbb`.
 */
function accentStyle(light: string, dark: string = accentForDark(light)): string {
  const inTheDark = `@media (prefers-color-scheme: dark) { ${rootRule(accentShades(dark, 'dark'))} }`;
  return `\n${rootRule(accentShades(light, 'light'))}\n${inTheDark}\n`;
}
