import type {
  SecondFactors,
  SeenFactor,
  StoredFactor,
  TotpFactor,
} from '../../../provider/ports/second-factors.ts';
import { type Access, type FactorRow, MemoryDatabase } from './database.ts';

/** Stores second factors in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemorySecondFactors implements SecondFactors {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  find(accountId: string): Promise<StoredFactor | undefined> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      return row && { ...row.factor, recoveryCodes: row.hashes.length };
    });
  }

  add(accountId: string, factor: TotpFactor): Promise<boolean> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      if (row && (row.factor.hasApp || !factor.hasApp)) return false;
      const uses = row ? row.factor.uses + 1 : factor.uses;
      secondFactors.set(accountId, { factor: { ...factor, uses }, hashes: [] });
      return true;
    });
  }

  useStep(accountId: string, seen: SeenFactor, step: number, sealedSecret: string): Promise<boolean> {
    return this.#use(accountId, seen, ({ factor, hashes }) =>
      factor.hasApp && factor.lastStep < step
        ? { factor: { ...factor, lastStep: step, sealedSecret }, hashes }
        : undefined,
    );
  }

  useRecoveryCode(accountId: string, seen: SeenFactor, hash: string): Promise<boolean> {
    return this.#use(accountId, seen, ({ factor, hashes }) =>
      hashes.includes(hash) ? { factor, hashes: hashes.filter((one) => one !== hash) } : undefined,
    );
  }

  replaceRecoveryCodes(accountId: string, factorId: string, hashes: readonly string[]): Promise<boolean> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      if (row?.factor.id !== factorId) return false;
      secondFactors.set(accountId, { factor: row.factor, hashes: [...hashes] });
      return true;
    });
  }

  touch(accountId: string, sealedSecret?: string): Promise<StoredFactor | undefined> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      if (row === undefined) return undefined;
      const sealed = sealedSecret ?? row.factor.sealedSecret;
      const factor = { ...row.factor, uses: row.factor.uses + 1, sealedSecret: sealed };
      secondFactors.set(accountId, { ...row, factor });
      return { ...factor, recoveryCodes: row.hashes.length };
    });
  }

  removeApp(accountId: string): Promise<boolean> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      if (!row?.factor.hasApp) return false;
      const factor = { ...row.factor, hasApp: false, uses: row.factor.uses + 1 };
      secondFactors.set(accountId, { ...row, factor });
      return true;
    });
  }

  remove(accountId: string): Promise<boolean> {
    return this.#database.use(({ secondFactors }) => secondFactors.delete(accountId));
  }

  #use(
    accountId: string,
    { id, uses }: SeenFactor,
    change: (row: FactorRow) => FactorRow | undefined,
  ): Promise<boolean> {
    return this.#database.use(({ secondFactors }) => {
      const row = secondFactors.get(accountId);
      if (row?.factor.id !== id || row.factor.uses !== uses) return false;
      const next = change(row);
      if (next === undefined) return false;
      secondFactors.set(accountId, { ...next, factor: { ...next.factor, uses: uses + 1 } });
      return true;
    });
  }
}
