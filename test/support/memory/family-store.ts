import type { Clock } from '../../../provider/lib/clock.ts';
import type {
  Answer,
  Family,
  FamilyStore,
  Rotation,
  StoredFamily,
} from '../../../provider/ports/family-store.ts';

type Kept = Family & { answer?: Answer };

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
    const { answer, ...family } = this.#live(familyId) ?? {};
    if (!('id' in family)) return undefined;
    const isGiven = answer !== undefined && answer.until > this.#clock.now();
    return { ...family, ...(isGiven && { answer: answer.sealed }) };
  }

  async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    const family = this.#live(familyId);
    if (family?.currentHash !== from) return false;
    const { hash, ...rest } = to;
    this.#families.set(familyId, { ...family, ...rest, currentHash: hash });
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
