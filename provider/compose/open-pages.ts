import type { Config } from '../config/schema.ts';
import { createPages, type Pages } from '../interactions/pages.ts';

/** The issuer's path: before everything we link to. */
export const basePath = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '');

/** The pages as settings and the files they name want them. Throws a ConfigurationError with all problems. */
export function openPages(config: Config): Pages {
  return createPages({ ...config, assetsPath: `${basePath(config.issuer)}/assets` });
}
