import { type BrandNames, type PageAssets, scriptName, stylesheetName } from './page-assets.ts';

/** The data that every page gets in addition to its own model. It is the same in each language. */
export interface PageFrame {
  appName: string;
  /** Addresses of files. */
  stylesheet: string;
  script: string;
  icon: string;
  iconType: string;
  brandLogo?: string | undefined;
  brandLogoDark?: string | undefined;
  /** Returns the address of a file of `assets/`. Throws when there is no such file. */
  asset(name: string): string;
  /** Undefined if the footer would have no text and no links. */
  footer?: Footer | undefined;
}

export interface Footer {
  text?: string | undefined;
  privacyUrl?: string | undefined;
  termsUrl?: string | undefined;
  /** Only this address may be a `mailto:` address. */
  supportUrl?: string | undefined;
}

export interface FrameOptions {
  appName: string;
  footerText?: string | undefined;
  privacyUrl?: string | undefined;
  termsUrl?: string | undefined;
  supportUrl?: string | undefined;
  assetsPath?: string | undefined;
}

export function createPageFrame(options: FrameOptions, assets: PageAssets, names: BrandNames): PageFrame {
  const { appName, assetsPath = '/assets' } = options;
  const find = (name: string) => {
    const found = assets.get(name);
    if (found === undefined) throw new Error(`There is no file '${name}' in assets/.`);
    return found;
  };
  const asset = (name: string) => `${assetsPath}/${name}?v=${find(name).version}`;
  return {
    appName,
    stylesheet: asset(stylesheetName),
    script: asset(scriptName),
    icon: asset(names.icon),
    iconType: find(names.icon).type,
    brandLogo: names.logo && asset(names.logo),
    brandLogoDark: names.logoDark && asset(names.logoDark),
    asset,
    footer: footerOf(options),
  };
}

function footerOf({ footerText, privacyUrl, termsUrl, supportUrl }: FrameOptions): Footer | undefined {
  const footer = { text: footerText, privacyUrl, termsUrl, supportUrl };
  return Object.values(footer).some((each) => each !== undefined) ? footer : undefined;
}
