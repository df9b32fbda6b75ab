import type { UnitOfWork } from '../ports/unit-of-work.ts';

/** The same unit of work, which calls `nudge` after every commit that holds an event, so that it is published soon. */
export function nudgeAfterCommit(unitOfWork: UnitOfWork, nudge: () => void): UnitOfWork {
  return {
    run: async (work) => {
      let appended = false;
      const result = await unitOfWork.run((stores) =>
        work({
          ...stores,
          outbox: {
            append: (event) => {
              appended = true;
              return stores.outbox.append(event);
            },
          },
        }),
      );
      if (appended) nudge();
      return result;
    },
  };
}
