/**
 * Wraps work so that it never overlaps itself. A call while it runs is answered by one run after that, which
 * it shares with all other calls that came meanwhile: so every call sees a run that began after it.
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
