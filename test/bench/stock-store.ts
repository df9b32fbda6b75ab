import type { Adapter, AdapterPayload } from 'oidc-provider';

/**
 * A store in memory that costs nearly nothing. The library's own store keeps only the last thousand artifacts and gets slower
 * with every token of a grant.
 */
export function createStockStore(): (kind: string) => Adapter {
  const stored = new Map<string, AdapterPayload>();
  const uids = new Map<string, string>();
  return (kind) => ({
    upsert: async (id, payload) => {
      stored.set(`${kind} ${id}`, payload);
      if (payload.uid) uids.set(payload.uid, id);
    },
    find: async (id) => stored.get(`${kind} ${id}`),
    findByUid: async (uid) => stored.get(`${kind} ${uids.get(uid)}`),
    findByUserCode: async () => undefined,
    consume: async (id) => {
      const payload = stored.get(`${kind} ${id}`);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => void stored.delete(`${kind} ${id}`),
    revokeByGrantId: async () => {},
  });
}
