/**
 * Does `work` for each item, a few at a time, so that it uses no more connections than others can spare.
 *
 * @returns the results in the order of `items`; rejects with the first failure, after the calls that began with it ended
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
