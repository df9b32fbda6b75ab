/**
 * Wraps `work` so that two runs never overlap. A call during a run waits for one more run after it. All calls during
 * the same run share this next run. So every call gets the result of a run that began after the call.
 */
export function singleFlight(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const call = (): Promise<void> => {
    if (running === undefined) {
      running = work().finally(() => {
        running = undefined;
      });
      return running;
    }
    const again = () => {
      next = undefined;
      return call();
    };
    next ??= running.then(again, again);
    return next;
  };
  return call;
}
