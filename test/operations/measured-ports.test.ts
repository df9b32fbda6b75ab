import { describe, expect, jest, test } from '@jest/globals';
import { measuredPorts } from '../../provider/compose/measurements.ts';
import type { Ports } from '../../provider/compose/ports.ts';
import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import type { Tracing } from '../../provider/lib/tracing.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { sampleEvent } from '../contract/outbox.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

/** A store whose methods need the instance, because they use private fields. */
class Base {
  readonly #answer = 'from the base class';

  async revoke() {
    return this.#answer;
  }
}

class Families extends Base {
  readonly #onFind: () => void;

  constructor(onFind: () => void) {
    super();
    this.#onFind = onFind;
  }

  async find(id: string) {
    this.#onFind();
    return id;
  }

  save(): Promise<void> {
    throw new StoreUnavailable('redis', new Error('gone'));
  }
}

/** Measured accounts and transactions in memory. The other stores are not used. */
function createWorld(tracing?: Tracing) {
  const clock = createManualClock();
  const metrics = createMetrics({ version: '0' });
  const database = new MemoryDatabase();
  const accounts = new MemoryAccountStore({ database });
  const nothing = {};
  const homes = {
    accounts: 'postgres',
    consents: 'postgres',
    outbox: 'postgres',
    unitOfWork: 'postgres',
    denylist: 'postgres',
    expired: 'postgres',
    keyStore: 'file',
    oidcStore: 'redis',
    families: 'redis',
    accountIndex: 'redis',
  };
  const families = new Families(() => clock.advance(30));
  const given = {
    accounts,
    families,
    homes,
    unitOfWork: new MemoryUnitOfWork({ database }),
    consents: nothing,
    outbox: nothing,
    denylist: nothing,
    oidcStore: nothing,
    accountIndex: nothing,
    keyStore: nothing,
    expired: [],
  } as unknown as Ports;
  const ports = measuredPorts(given, { metrics, clock, tracing });
  const linesOf = async (name: string) =>
    (await metrics.render()).body
      .split('\n')
      .filter((line) => line.startsWith(name) && !/_bucket/.test(line));
  return { ports, accounts, linesOf };
}

const duration = 'gatehouse_store_call_duration_seconds';
const errors = 'gatehouse_store_errors_total';
const labels = (store: string, operation: string) => `{store="${store}",operation="${operation}"}`;

describe('measured ports', () => {
  test('return the results of the ports, and measure each call by store and operation', async () => {
    const { ports, linesOf } = createWorld();
    const account = sampleAccount();
    expect(await ports.accounts.insert(account)).toBe(true);
    expect(await ports.accounts.insert(account)).toBe(false);
    await ports.families.find('fam_1');
    expect(await linesOf(duration)).toEqual([
      `${duration}_sum${labels('postgres', 'accounts.insert')} 0`,
      `${duration}_count${labels('postgres', 'accounts.insert')} 2`,
      `${duration}_sum${labels('redis', 'families.find')} 0.03`,
      `${duration}_count${labels('redis', 'families.find')} 1`,
    ]);
    expect(await linesOf(errors)).toEqual([]);
  });

  test('call the instance, also for methods of its base class', async () => {
    const { ports, linesOf } = createWorld();
    const families = ports.families as unknown as Families;
    expect(await families.find('fam_1')).toBe('fam_1');
    const { revoke } = families;
    expect(await revoke()).toBe('from the base class');
    expect(await linesOf(`${duration}_count`)).toEqual([
      `${duration}_count${labels('redis', 'families.find')} 1`,
      `${duration}_count${labels('redis', 'families.revoke')} 1`,
    ]);
  });

  test('count a call that throws before it returns a promise, and reject', async () => {
    const { ports, linesOf } = createWorld();
    const saving = (ports.families as unknown as Families).save();
    await expect(saving).rejects.toThrow(StoreUnavailable);
    expect(await linesOf(errors)).toEqual([`${errors}${labels('redis', 'families.save')} 1`]);
  });

  test('count a call that failed, and pass its error on', async () => {
    const { ports, accounts, linesOf } = createWorld();
    const away = new StoreUnavailable('postgres', new Error('gone'));
    accounts.findById = () => Promise.reject(away);
    await expect(ports.accounts.findById('user_1')).rejects.toBe(away);
    expect(await linesOf(errors)).toEqual([`${errors}${labels('postgres', 'accounts.findById')} 1`]);
  });

  test('measure calls inside a transaction, and count its failure once', async () => {
    const { ports, linesOf } = createWorld();
    const away = new StoreUnavailable('postgres', new Error('gone'));
    const append = jest.spyOn(MemoryOutbox.prototype, 'append').mockRejectedValueOnce(away);
    const run = ports.unitOfWork.run(({ outbox }) => outbox.append(sampleEvent()));
    await expect(run).rejects.toBe(away);
    append.mockRestore();
    expect(await linesOf(errors)).toEqual([`${errors}${labels('postgres', 'outbox.append')} 1`]);
    expect(await linesOf(`${duration}_count`)).toEqual([
      `${duration}_count${labels('postgres', 'outbox.append')} 1`,
      `${duration}_count${labels('postgres', 'unitOfWork.run')} 1`,
    ]);
  });

  test('do not count a refusal as a failure', async () => {
    const { ports, linesOf } = createWorld();
    const refuse = async () => {
      throw new GatehouseError('not_found', 'There is no such account.');
    };
    await expect(ports.unitOfWork.run(refuse)).rejects.toThrow('no such account');
    expect(await linesOf(errors)).toEqual([]);
  });

  test('create a span for each call', async () => {
    const spans: [string, object][] = [];
    const { ports } = createWorld({
      startRequest: () => {
        throw new Error('no request here');
      },
      span: (name, attributes, work) => {
        spans.push([name, attributes]);
        return work();
      },
      stop: async () => {},
    });
    await ports.families.find('fam_1');
    const attributes = { 'db.system.name': 'redis', 'db.operation.name': 'families.find' };
    expect(spans).toEqual([['redis families.find', attributes]]);
  });
});
