import type { Provider } from 'oidc-provider';
import { noteAccount, noteClient } from '../../lib/request-scope.ts';

interface Entity {
  clientId?: string | undefined;
  accountId?: string | undefined;
}

/**
 * Notes which client and which account a request turned out to be about, for its log lines and events. All that the
 * library and our grants find passes here.
 */
export function noteEntities(provider: Provider): void {
  const prototype = provider.OIDCContext.prototype as unknown as {
    entity(key: string, value: Entity | undefined): void;
  };
  const { entity } = prototype;
  prototype.entity = function entityAndNote(key, value) {
    entity.call(this, key, value);
    if (key === 'Client' && value?.clientId) noteClient(value.clientId);
    if (key === 'Account' && value?.accountId) noteAccount(value.accountId);
  };
}
