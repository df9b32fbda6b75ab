import type { KnownApi } from '../../clients/parse-client-documents.ts';
import type { AccessModel } from '../../config/access-model.ts';

/** What client documents may name of the APIs. */
export function knownApis({ apis }: AccessModel): KnownApi[] {
  return apis.map(({ audience, scopes }) => ({ audience, scopes: scopes.map(({ name }) => name) }));
}
