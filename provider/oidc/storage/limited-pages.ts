import { type Adapter, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { orUnavailable } from '../unavailable.ts';

/**
 * The same storage, where an authorization request that leads to a page is counted before anything is kept for it: anybody
 * may send them. Who was asked something in the same request already isn't counted again.
 *
 * What is refused is told on our own page, with its status: the app can't do anything about it.
 * @param count throws `GatehouseError`
 */
export function limitPages(
  adapterOf: (kind: string) => Adapter,
  count: () => Promise<void>,
): (kind: string) => Adapter {
  return (kind) => {
    const adapter = adapterOf(kind);
    if (kind !== 'Interaction') return adapter;
    return {
      ...adapter,
      upsert: async (id, payload, expiresIn) => {
        if (isNew()) await counted(count);
        return adapter.upsert(id, payload, expiresIn);
      },
    };
  };
}

const isNew = () => (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc.route === 'authorization';

async function counted(count: () => Promise<void>): Promise<void> {
  try {
    await orUnavailable(count);
  } catch (error) {
    throw Object.assign(error as Error, { allow_redirect: false });
  }
}
