import { createHash } from 'node:crypto';
import { emailKey } from '../../ports/account-store.ts';

/** The line and the fields that identify an account. */
interface Identified {
  line: number;
  fields: { id: string | undefined; email: string };
}

/**
 * Stores the ids and addresses of lines, as 48-bit hashes. A dry run needs this, because it writes nothing that the
 * store could compare with. With a million lines, the probability of one false report is below one percent.
 */
export function createSeenLines(): { earlier(candidate: Identified): string | undefined } {
  const lines = new Map<number, number>();
  return {
    /** Gives the earlier line with this id or address. If there is none, this line is stored. */
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
