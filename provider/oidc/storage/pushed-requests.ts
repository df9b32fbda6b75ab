import { type Adapter, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import { type ArtifactAdapterDeps, createArtifactAdapter } from './artifact-adapter.ts';

const kind = 'PushedAuthorizationRequest';

export interface PushedRequestDeps extends Omit<ArtifactAdapterDeps, 'onRepeat' | 'showSpent'> {
  /** How long a person may take for one step of signing in. */
  interactionSeconds: number;
}

/** A person who goes on signs in and then agrees, which are two steps. */
const steps = 2;

/**
 * The library's adapter for pushed authorization requests (RFC 9126). Until one has led to an authorization it may be
 * opened as often as somebody comes back to it, or reloads (§7.3); it leads to one at most, and from then on it is refused
 * where it is presented, before anybody is asked for a password.
 *
 * The library forgets a request with its minute, and what it can't find it lets pass: people who take longer to sign in
 * could all finish. Here the end of an interaction spends the request whether it is remembered or not.
 */
export function createPushedRequestAdapter(deps: PushedRequestDeps): Adapter {
  const { clock, interactionSeconds } = deps;
  const rememberSpentSeconds = Math.max(deps.rememberSpentSeconds, steps * interactionSeconds);
  const adapter = createArtifactAdapter(kind, {
    ...deps,
    rememberSpentSeconds,
    showSpent: true,
    onRepeat: async () => {
      throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
    },
  });
  const forgotten = (id: string) => ({ kind, jti: id, exp: epochSeconds(clock) });
  return {
    ...adapter,
    find: async (id) => (await adapter.find(id)) ?? (isAtItsEnd() ? forgotten(id) : undefined),
    consume: async (id) => {
      // Putting never makes fresh what was spent in between: `consume` still decides alone.
      if (!(await adapter.find(id))) await adapter.upsert(id, forgotten(id), rememberSpentSeconds);
      await adapter.consume(id);
    },
  };
}

/** The request's id comes from an interaction of ours then, and not from whoever asks. */
const isAtItsEnd = () => (Provider.ctx as KoaContextWithOIDC | undefined)?.oidc.route === 'resume';
