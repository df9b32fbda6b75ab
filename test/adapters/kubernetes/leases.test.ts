import { expect, test } from '@jest/globals';
import { KubernetesLeases } from '../../../adapters/kubernetes/leases.ts';
import type { Leases } from '../../../provider/ports/leases.ts';
import { leasesContract } from '../../contract/leases.ts';
import { withCluster } from '../../support/kubernetes.ts';

/** Kubernetes has stricter rules for names than the contract. */
const withNames = (leases: Leases): Leases => {
  const nameOf = (name: string) => `lease-${Buffer.from(name).toString('hex')}`;
  return {
    hold: (name, holder, leaseMs) => leases.hold(nameOf(name), holder, leaseMs),
    release: (name, holder) => leases.release(nameOf(name), holder),
  };
};

await withCluster('leases in Kubernetes', (cluster) => {
  const open = async (elapsed?: () => number) => {
    const namespace = await cluster().createNamespace();
    return () =>
      new KubernetesLeases({
        api: cluster().api,
        namespace,
        now: () => Date.now(),
        ...(elapsed && { elapsed }),
      });
  };

  leasesContract('KubernetesLeases', async () => {
    const create = await open();
    return { store: withNames(create()), another: () => withNames(create()), close: async () => {} };
  });

  test('the times in a lease do not matter: a process counts from when it saw the last change', async () => {
    let elapsed = 0;
    const create = await open(() => elapsed);
    const [holder, other] = [create(), create()];
    expect(await holder.hold('work', 'one', 10_000)).toBe(true);
    expect(await other.hold('work', 'two', 10_000)).toBe(false);
    elapsed = 9000;
    expect(await holder.hold('work', 'one', 10_000)).toBe(true);
    elapsed = 15_000;
    expect(await other.hold('work', 'two', 10_000)).toBe(false);
    elapsed = 24_999;
    expect(await other.hold('work', 'two', 10_000)).toBe(false);
    elapsed = 25_000;
    expect(await other.hold('work', 'two', 10_000)).toBe(true);
  });

  test('kubectl shows who has the lease, and how often it changed hands', async () => {
    const namespace = await cluster().createNamespace();
    const leases = new KubernetesLeases({ api: cluster().api, namespace, now: () => Date.now() });
    await leases.hold('work', 'one', 15_000);
    await leases.release('work', 'one');
    await leases.hold('work', 'two', 15_000);
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/work`;
    expect((await cluster().api.call({ method: 'GET', path })).body).toMatchObject({
      spec: { holderIdentity: 'two', leaseDurationSeconds: 15, leaseTransitions: 1 },
    });
  });
});
