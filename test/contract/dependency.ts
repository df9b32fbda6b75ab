import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Dependency } from '../../provider/ports/dependency.ts';
import { waitFor } from '../support/wait-for.ts';
import { useFixture } from './fixture.ts';

export interface DependencyFixture {
  dependency: Dependency;
  /** Makes the server unreachable from the view of this dependency. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Keeps the server reachable, but it doesn't answer until `comeBack`. */
  fallSilent(): Promise<void>;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/dependency.ts` on the dependency that `open` gives. */
export function dependencyContract(name: string, open: () => Promise<DependencyFixture>): void {
  describe(`${name} keeps the contract of Dependency`, () => {
    const current = useFixture(open);
    let fixture: DependencyFixture;
    let dependency: Dependency;
    beforeAll(() => {
      fixture = current();
      dependency = fixture.dependency;
    });

    const untilItAnswers = async () => {
      const answers = () => dependency.ping().then(() => true);
      await waitFor(answers, { what: `${dependency.name} to answer again` });
    };

    test('has a name in lower case', () => {
      expect(dependency.name).toMatch(/^[a-z][a-z-]*$/);
    });

    test('answers a ping', async () => {
      await untilItAnswers();
      expect(await dependency.ping()).toBeUndefined();
    });

    test('rejects pings with a reason while the server is away, and answers again afterwards', async () => {
      await fixture.goAway();
      const pings = await Promise.allSettled(Array.from({ length: 20 }, () => dependency.ping()));
      expect(pings).toEqual(Array(20).fill({ status: 'rejected', reason: expect.any(Error) }));
      await fixture.comeBack();
      await untilItAnswers();
    });

    test('rejects pings within a bounded time while the server is silent, and answers again afterwards', async () => {
      await fixture.fallSilent();
      await expect(dependency.ping()).rejects.toThrow(Error);
      await fixture.comeBack();
      await untilItAnswers();
    });

    test('rejects pings after it is closed, and can be closed twice', async () => {
      await dependency.close();
      await expect(dependency.ping()).rejects.toThrow(Error);
      await dependency.close();
    });
  });
}
