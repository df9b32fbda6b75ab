import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { blocksOf } from '../../support/page-blocks.ts';

/** The addresses on the pages of `docs/connect/`, in whose place a test puts its own. */
export const placeholders = {
  issuer: 'https://auth.example.com',
  app: 'https://app.example.com',
  api: 'https://api.example.com',
};

export type Addresses = Record<keyof typeof placeholders, string>;

/** A page of `docs/connect/` with the addresses of a test. */
export interface ConnectPage {
  /** The documents of the page's first `yaml` block: one client, or those of its list `clients`. */
  clients: Record<string, unknown>[];
  /** The secrets that the documents refer to as `env:NAME`, made for this test. They are for Gatehouse and for the app. */
  secrets: Record<string, string>;
  /** The text of the page's block in this language. With several, `index` chooses. Throws if there is none. */
  block(language: string, index?: number): string;
}

/**
 * Reads `docs/connect/NAME.md`, so that a test runs exactly what the page says.
 *
 * @param addresses replace the placeholders in all blocks
 */
export function readPage(name: string, addresses: Addresses): ConnectPage {
  const blocks = blocksOf(readFileSync(join(packageRoot, 'docs', 'connect', `${name}.md`), 'utf8'));
  const block = (language: string, index = 0) => {
    const found = blocks.filter((one) => one.language === language)[index];
    if (!found) throw new Error(`docs/connect/${name}.md has no block ${index} in ${language}`);
    return withAddresses(found.text, addresses);
  };
  const document = parse(block('yaml')) as Record<string, unknown>;
  const clients = (document.clients ?? [document]) as ConnectPage['clients'];
  return { clients, secrets: secretsOf(clients), block };
}

/** The text with the test's addresses in place of those of the page. */
export function withAddresses(text: string, addresses: Addresses): string {
  return Object.entries(placeholders).reduce(
    (result, [name, placeholder]) => result.replaceAll(placeholder, addresses[name as keyof Addresses]),
    text,
  );
}

function secretsOf(clients: ConnectPage['clients']): Record<string, string> {
  const references = clients.flatMap(({ secrets = [] }) => secrets as { ref?: string }[]);
  const names = references.flatMap(({ ref }) => /^env:(.+)$/.exec(ref ?? '')?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, randomBytes(32).toString('hex')]));
}
