import { createHash } from 'node:crypto';
import { emailKey } from '../../ports/account-store.ts';

/** What tells one account from another. */
interface Identified {
  line: number;
  fields: { id: string | undefined; email: string };
}

/**
 * Remembers the ids and addresses of lines, as 48 bits each, for when the store can't tell because nothing is
 * written. Among a million lines a false alarm is one in hundreds.
 */
export function createSeenLines(): { earlier(candidate: Identified): string | undefined } {
  const lines = new Map<number, number>();
  return {
    /** Names the earlier line with this id or address; remembers this one otherwise. */
    earlier: ({ line, fields: { id, email } }) => {
      const keys = [emailKey(email), ...(id === undefined ? [] : [id])].map(shortened);
      const earlier = keys.map((key) => lines.get(key)).find((found) => found !== undefined);
      if (earlier !== undefined) return `Line ${earlier}`;
      for (const key of keys) lines.set(key, line);
      return undefined;
    },
  };
}

const shortened = (key: string) => createHash('sha256').update(key).digest().readUIntBE(0, 6);
