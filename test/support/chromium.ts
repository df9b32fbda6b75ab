import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

export interface TestBrowser {
  context: BrowserContext;
  /** Closes the browser and removes its profile. */
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Whether to bypass the content security policy, as axe needs. Default: true. Tests of the policy pass false. */
  bypassCsp?: boolean;
  /** The default is true. */
  javaScriptEnabled?: boolean;
  /** Whether to accept certificates without a known authority. The default is false. */
  ignoreHTTPSErrors?: boolean;
  /** Ports on this machine that answer for the standard port of a host. Their certificates are accepted. */
  hosts?: Readonly<Record<string, number>>;
}

/** Launches a headless browser with a fresh profile. Close it before the server it talks to. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('This test needs a browser: install chromium, or set CHROMIUM_PATH to the path of one.');
  const profile = mkdtempSync(join(tmpdir(), 'gatehouse-test-browser-'));
  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      bypassCSP: options.bypassCsp ?? true,
      javaScriptEnabled: options.javaScriptEnabled ?? true,
      ignoreHTTPSErrors: options.ignoreHTTPSErrors ?? false,
      args: [...launchArguments, ...resolverArguments(options)],
    });
    return { context, close: () => context.close().finally(removeProfile) };
  } catch (error) {
    await removeProfile();
    throw error;
  }
}

/** Disables the sandbox, which containers don't support, and all requests to the browser's vendor. */
const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser also fetches files on its own, such as `/.well-known/webauthn`. Playwright does not see these requests. */
const resolverArguments = ({ hosts = {} }: BrowserOptions) => {
  const rules = Object.entries(hosts).map(([host, port]) => `MAP ${host} localhost:${port}`);
  return rules.length === 0
    ? []
    : [`--host-resolver-rules=${rules.join(', ')}`, '--ignore-certificate-errors'];
};
