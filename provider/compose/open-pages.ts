import type { Config } from '../config/schema.ts';
import { createPages, type Pages } from '../interactions/pages.ts';

/** Returns the issuer's path. Each of our links begins with it. */
export const basePath = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '');

/** Creates the pages from the settings and the files that they name. Throws a ConfigurationError with all problems. */
export function openPages(config: Config): Pages {
  return createPages({ ...config, assetsPath: `${basePath(config.issuer)}/assets` });
}
