import {
  type ClientSource,
  ClientSourceUnreadable,
  type RawClientDocument,
} from '../../../provider/ports/client-source.ts';

/** Client documents in memory. */
export class MemoryClientSource implements ClientSource {
  readonly name: string;
  readonly eachByItself: boolean;
  readonly #watchers = new Set<() => void>();
  #documents: RawClientDocument[] | string;

  constructor({
    name = 'memory',
    values = [],
    eachByItself = false,
  }: {
    name?: string;
    values?: unknown[];
    eachByItself?: boolean;
  } = {}) {
    this.name = name;
    this.eachByItself = eachByItself;
    this.#documents = this.#raw(values);
  }

  /** Replaces all documents and notifies the watchers. */
  replace(values: unknown[]): void {
    this.#change(this.#raw(values));
  }

  /** Makes the source unreadable until the next `replace`, and notifies the watchers. */
  spoil(problem: string): void {
    this.#change(`${this.name}: ${problem}`);
  }

  async load(): Promise<RawClientDocument[]> {
    if (typeof this.#documents === 'string') throw new ClientSourceUnreadable(this.#documents);
    return structuredClone(this.#documents);
  }

  watch(changed: () => void): () => void {
    const watcher = () => changed();
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  #change(documents: RawClientDocument[] | string): void {
    this.#documents = documents;
    for (const watcher of this.#watchers) watcher();
  }

  #raw(values: unknown[]): RawClientDocument[] {
    return values.map((value, index) => ({
      origin: `${this.name}[${index}]`,
      value: structuredClone(value),
    }));
  }
}
