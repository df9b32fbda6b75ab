/**
 * Does `work` for each, a few at a time: as fast as that, and no more of what others wait for too, such as connections.
 *
 * @returns what it gave, in the order of `items`; rejects with the first failure, after those begun with it have ended
 */
export async function fewAtATime<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  few = 8,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += few) {
    const batch = await Promise.allSettled(items.slice(from, from + few).map(work));
    for (const outcome of batch) {
      if (outcome.status === 'rejected') throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}
