import { ConfigurationError } from '../../../provider/lib/errors.ts';
import type { Secrets } from '../../../provider/ports/secrets.ts';

/** Secrets by reference, in memory. */
export class MemorySecrets implements Secrets {
  readonly #secrets: Map<string, string>;

  constructor({ secrets = {} }: { secrets?: Readonly<Record<string, string>> } = {}) {
    this.#secrets = new Map(Object.entries(secrets));
  }

  /** Sets or replaces a secret. */
  set(reference: string, secret: string): void {
    this.#secrets.set(reference, secret);
  }

  async resolve(reference: string): Promise<string> {
    const secret = this.#secrets.get(reference);
    if (secret === undefined)
      throw new ConfigurationError([`There is no secret ${reference}. Set it first.`]);
    return secret;
  }

  async candidates(reference: string): Promise<string[]> {
    return [await this.resolve(reference)];
  }
}
