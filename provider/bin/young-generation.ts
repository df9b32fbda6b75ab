import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the young generation of V8's heap small during the start. Most of what a start creates stays, so V8 would enlarge
 * the young generation to its limit, and a process at rest would keep about 10 MB more for nothing. After the start it
 * grows with the requests, as usual. V8 reads this flag at each collection, so it may change while the process runs.
 *
 * @returns what `start` gives
 */
export async function withSmallYoungGeneration<T>(start: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await start();
  } finally {
    setFlagsFromString(`--semi-space-growth-factor=${usualFactor}`);
  }
}

/** V8's default. */
const usualFactor = 2;
