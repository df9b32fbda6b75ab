import type { KeyStore, StoredKeySet } from '../../../provider/ports/key-store.ts';

/** A key set in memory. */
export class MemoryKeyStore implements KeyStore {
  #stored: StoredKeySet | undefined;
  #versions = 0;

  async load(): Promise<StoredKeySet | undefined> {
    return this.#stored && { ...this.#stored };
  }

  async save(value: string, expected: string | undefined): Promise<boolean> {
    if (this.#stored?.version !== expected) return false;
    this.#versions += 1;
    this.#stored = { version: String(this.#versions), value };
    return true;
  }
}
