import { createHash } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import { announcedDigests, announcedState } from '../ports/announcements.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';

/** The difference between two sets, as ids. */
export interface Difference {
  added: string[];
  changed: string[];
  removed: string[];
}

/** A set that every process reads separately: the contents of its members, by id. */
export interface Announced {
  topic: string;
  members: ReadonlyMap<string, unknown>;
  /** Makes the event that reports a change. It is called once for every 500 changed ids. */
  event(difference: Difference): OutboxEvent;
  /**
   * Does what follows from a change, in the transaction that reports it. So it is done once, although every process
   * notices the change. It is called once for every 500 changed ids.
   *
   * @returns what is done after the commit
   */
  follow?(stores: TransactionStores, difference: Difference): Promise<() => Promise<void>>;
}

export interface AnnouncerDeps {
  unitOfWork: UnitOfWork;
  logger: Pick<Logger, 'warn'>;
}

export interface Announcer {
  /**
   * Writes events if the set differs from the last set that any process reported. Never rejects: `retry` or the next
   * change reports what could not be written.
   */
  announce(announced: Announced): Promise<void>;
  /** Repeats the reports that could not be written. Does nothing when there are none. */
  retry(): Promise<void>;
}

/** Far below the size limit of any sink for one event. */
const mostIds = 500;

/**
 * Every process notices these changes. The announcer compares with the last reported set, so each change is reported
 * once.
 */
export function createAnnouncer({ unitOfWork, logger }: AnnouncerDeps): Announcer {
  const told = new Map<string, string>();
  const failed = new Map<string, Announced>();
  let lastTurn: Promise<void> = Promise.resolve();

  const tell = async (announced: Announced): Promise<void> => {
    const { topic } = announced;
    const value = announcedState(digests(announced.members));
    failed.delete(topic);
    if (told.get(topic) === value) return;
    try {
      const afterwards = await unitOfWork.run(async (stores) => {
        const last = await stores.announcements.exchange(topic, value);
        const followed: (() => Promise<void>)[] = [];
        for (const difference of differences(last, value)) {
          await stores.outbox.append(announced.event(difference));
          if (announced.follow) followed.push(await announced.follow(stores, difference));
        }
        return followed;
      });
      told.set(topic, value);
      for (const after of afterwards) await after();
    } catch (error) {
      failed.set(topic, announced);
      logger.warn({ err: error, topic }, 'event about clients or keys not written, trying again');
    }
  };
  // Calls run one after the other, so that the later of two changes is also reported later.
  const announce = (announced: Announced): Promise<void> => {
    lastTurn = lastTurn.then(() => tell(announced));
    return lastTurn;
  };

  return {
    announce,
    retry: async () => {
      for (const announced of [...failed.values()]) await announce(announced);
    },
  };
}

/** Contents may be secret, so only their digests are stored. */
const digests = (members: ReadonlyMap<string, unknown>): Map<string, string> =>
  new Map([...members].map(([id, content]) => [id, digest(JSON.stringify(content))]));

const digest = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 22);

function differences(last: string | undefined, value: string): Difference[] {
  const [before, after] = [announcedDigests(last), announcedDigests(value)];
  const kindOf = (id: string): keyof Difference | undefined => {
    if (!before.has(id)) return 'added';
    if (!after.has(id)) return 'removed';
    return before.get(id) === after.get(id) ? undefined : 'changed';
  };
  const ids = [...new Set([...before.keys(), ...after.keys()])].filter((id) => kindOf(id) !== undefined);
  return Array.from({ length: Math.ceil(ids.length / mostIds) }, (_, part) => {
    const own = ids.slice(part * mostIds, (part + 1) * mostIds);
    const of = (kind: keyof Difference) => own.filter((id) => kindOf(id) === kind);
    return { added: of('added'), changed: of('changed'), removed: of('removed') };
  });
}
