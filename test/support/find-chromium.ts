import { existsSync } from 'node:fs';
import { canInstallPackages, findProgram, installPackages } from './servers/programs.ts';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'Google Chrome',
  'Chromium',
];
const places = [
  '/usr/bin',
  '/usr/local/bin',
  '/snap/bin',
  '/Applications/Google Chrome.app/Contents/MacOS',
  '/Applications/Chromium.app/Contents/MacOS',
];

/** The browser to test with: `CHROMIUM_PATH`, or what this machine has; undefined when there is none. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return existsSync(given) ? given : undefined;
  return findProgram(names, places);
}

/** Installs a browser where there is none and packages can be had; elsewhere the tests that need one say so. */
export async function ensureChromium(): Promise<void> {
  if (process.env.CHROMIUM_PATH || findChromium() !== undefined) return;
  if (canInstallPackages()) await installPackages(['chromium']);
}
