import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';

interface Fixture {
  close(): Promise<void>;
}

/** Whether a fixture is opened once for all tests of the suite, or for each test. */
type Span = 'suite' | 'test';

/**
 * Opens the fixture of a contract suite before its tests and closes it after them.
 *
 * @returns a function that returns the fixture; call it only in tests and hooks
 */
export function useFixture<F extends Fixture>(open: () => Promise<F>, span: Span = 'suite'): () => F {
  let fixture: F | undefined;
  const current = (): F => {
    if (fixture === undefined) throw new Error('the fixture is not open: use it in tests and hooks only');
    return fixture;
  };
  const [before, after] = span === 'suite' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  before(async () => {
    fixture = await open();
  });
  after(() => current().close());
  return current;
}

interface StoreFixture<Store> extends Fixture {
  store: Store;
  /** A second store over the same data, with its own connection. */
  another?(): Store | Promise<Store>;
}

/**
 * Like `useFixture`, for a store that may share its data with a second store.
 *
 * @param use called before the tests with the fixture and the second store, or the first one if there is no second
 */
export function useStores<Store, F>(
  open: () => Promise<F & StoreFixture<Store>>,
  use: (fixture: F, other: Store) => void,
  span: Span = 'suite',
): void {
  const current = useFixture(open, span);
  const before = span === 'suite' ? beforeAll : beforeEach;
  before(async () => {
    const fixture = current();
    use(fixture, (await fixture.another?.()) ?? fixture.store);
  });
}
