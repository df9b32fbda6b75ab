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

/** The browser to test with: `CHROMIUM_PATH`, or one installed on this machine. Undefined if there is none. */
export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return existsSync(given) ? given : undefined;
  return findProgram(names, places);
}

/** Installs a browser if none exists and packages can be installed. Otherwise the tests that need one report it. */
export async function ensureChromium(): Promise<void> {
  if (process.env.CHROMIUM_PATH || findChromium() !== undefined) return;
  if (canInstallPackages()) await installPackages(['chromium']);
}
