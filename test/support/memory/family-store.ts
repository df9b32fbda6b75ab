import type { Clock } from '../../../provider/lib/clock.ts';
import type {
  Family,
  FamilyStore,
  Rotation,
  StoredFamily,
  StoredResponse,
} from '../../../provider/ports/family-store.ts';

type Kept = Family & { storedResponse?: StoredResponse };

/** Families in memory. */
export class MemoryFamilyStore implements FamilyStore {
  readonly #clock: Clock;
  readonly #families = new Map<string, Kept>();
  readonly #ended = new Map<string, number>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async open(family: Family): Promise<boolean> {
    if ((this.#ended.get(family.id) ?? 0) > this.#clock.now() || this.#live(family.id)) return false;
    this.#families.set(family.id, { ...family });
    return true;
  }

  async find(familyId: string): Promise<StoredFamily | undefined> {
    const { storedResponse, ...family } = this.#live(familyId) ?? {};
    if (!('id' in family)) return undefined;
    const isGiven = storedResponse !== undefined && storedResponse.until > this.#clock.now();
    return isGiven ? { ...family, storedResponse: storedResponse.sealed } : family;
  }

  async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    const family = this.#live(familyId);
    if (family?.currentHash !== from) return false;
    const { hash, payload, expiresAt, storedResponse } = to;
    const { storedResponse: _before, ...kept } = family;
    const next = { ...kept, payload, expiresAt, currentHash: hash };
    this.#families.set(familyId, storedResponse ? { ...next, storedResponse } : next);
    return true;
  }

  async end(familyId: string, until: number): Promise<void> {
    this.#families.delete(familyId);
    this.#ended.set(familyId, Math.max(until, this.#ended.get(familyId) ?? 0));
  }

  #live(familyId: string): Kept | undefined {
    const family = this.#families.get(familyId);
    return family && family.expiresAt > this.#clock.now() ? family : undefined;
  }
}
