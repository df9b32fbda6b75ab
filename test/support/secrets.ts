/** A server secret for tests. It is no secret, but it looks like one. */
export const testServerSecret = 'tests-only-Zk3vQ9xW7mB2tR8nY5cL1pD6hF4jG0sA';

/** Collects, while flows run, every value that a bearer could present. */
export class Secrets {
  readonly #values = new Map<string, string>();

  add(name: string, value: unknown): string {
    if (typeof value !== 'string' || value.length < 8) throw new Error(`${name} is no secret: ${value}`);
    this.#values.set(`${name} ${this.#values.size}`, value);
    return value;
  }

  /** Returns the names of the secrets that the text contains, complete or as an identifiable part. */
  foundIn(text: string): string[] {
    return [...this.#values].flatMap(([name, value]) => {
      const parts = [value, encodeURIComponent(value), value.split('.').at(-1) ?? value, value.slice(0, 40)];
      return parts.some((part) => part.length >= 8 && text.includes(part)) ? [name] : [];
    });
  }
}
