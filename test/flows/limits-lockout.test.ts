import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { comparable } from '../support/json-api.ts';
import { addressIn, fromAnywhere, retryAfter, right, tryPassword } from './limits-world.ts';

describe('G9, password guesses slow down the guesser alone', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess([], fromAnywhere);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const statuses = async (answers: Promise<Response[]>) => (await answers).map(({ status }) => status);
  const tenWrong = (address: string, email?: string) =>
    atOnce(10, () => tryPassword(deployment, address, email === undefined ? {} : { email }));

  test('after ten wrong tries, waits double up to a quarter of an hour, and Retry-After gives the wait', async () => {
    const attacker = addressIn(1);
    expect(await statuses(tenWrong(attacker))).toEqual(Array(10).fill(401));
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      const refused = await tryPassword(deployment, attacker);
      expect([refused.status, await refused.json()]).toEqual([
        429,
        expect.objectContaining({ code: 'too_many_requests', status: 429 }),
      ]);
      expect(retryAfter(refused)).toBe(seconds);
      deployment.advance(seconds);
      expect((await tryPassword(deployment, attacker)).status).toBe(401);
    }
    expect((await tryPassword(deployment, attacker, right)).status).toBe(429);

    // The person can sign in from another address, and another account from this address.
    expect((await tryPassword(deployment, addressIn(2), right)).status).toBe(200);
    const other = await tryPassword(deployment, attacker, { email: 'somebody.else@example.com' });
    expect(other.status).toBe(401);
    expect((await tryPassword(deployment, attacker, right)).status).toBe(429);
    deployment.advance(900);
    expect((await tryPassword(deployment, attacker, right)).status).toBe(200);
    expect(await statuses(tenWrong(attacker))).toEqual(Array(10).fill(401));
  });

  test('an unknown address gets exactly the same answers through free tries, waits and lockout', async () => {
    const emails = [demo.email, 'nobody.at.all@example.com', 'not an address'];
    /** Tries each account once, in parallel, each from a different address. */
    const ask = () =>
      atOnce(3, (who) => tryPassword(deployment, addressIn(30 + who), { email: emails[who] ?? '' }));
    const seen: unknown[][] = [[], [], []];
    const note = async (answers: Response[]) => {
      for (const [who, answer] of answers.entries()) seen[who]?.push(await comparable(answer));
    };
    for (const answers of await atOnce(10, ask)) await note(answers);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) {
      deployment.advance(seconds);
      await note(await ask());
    }
    expect(seen[0]).toHaveLength(20);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    const locked = await ask();
    expect(locked.map(({ status }) => status)).toEqual([429, 429, 429]);
    for (const answer of locked) expect(retryAfter(answer)).toBe(900);
    const [one, ...others] = await Promise.all(locked.map(comparable));
    expect(others).toEqual([one, one]);
  });

  test('another spelling of the address gives no more tries', async () => {
    const attacker = addressIn(6);
    const spellings = [demo.email.toUpperCase(), ` ${demo.email}`, demo.email, `${demo.email} `];
    const answers = atOnce(12, (index) =>
      tryPassword(deployment, attacker, { email: spellings[index % 4] ?? '' }),
    );
    expect((await statuses(answers)).sort()).toEqual([...Array(10).fill(401), 429, 429]);
  });

  test('another IPv6 address of the same /64 network gives no more tries', async () => {
    const answers = atOnce(12, (index) => tryPassword(deployment, `2001:db8:77:88:${index}::${index + 1}`));
    expect((await statuses(answers)).sort()).toEqual([...Array(10).fill(401), 429, 429]);
    expect((await tryPassword(deployment, '2001:db8:77:89::1')).status).toBe(401);
  });

  test('right passwords are never limited, one after the other or in parallel', async () => {
    for (let round = 0; round < 4; round += 1) {
      const answers = atOnce(10, () => tryPassword(deployment, addressIn(7), right));
      expect(await statuses(answers)).toEqual(Array(10).fill(200));
    }
  });
});
