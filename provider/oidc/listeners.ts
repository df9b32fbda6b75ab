import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { isCut } from '../lib/cut-connection.ts';
import { StoreUnavailable } from '../lib/errors.ts';
import { parseUrl } from '../lib/parse-url.ts';
import type { OidcServices } from './services.ts';

// biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own; the rows below name theirs.
type Listener = (...args: any[]) => void;

interface Refusal {
  error?: string;
  error_description?: string;
  error_detail?: string;
  cause?: unknown;
}

/**
 * The library's events, one row each. A Provider is an EventEmitter: a listener that throws would fail the request, and
 * one that rejects would end the process, so all are synchronous and guarded here (DESIGN §6.8).
 */
export function listen(
  provider: Provider,
  { logger, metrics, clients }: Pick<OidcServices, 'logger' | 'metrics' | 'clients'>,
): void {
  const clientKind = (id: string | undefined) =>
    clients.find(id ?? '')?.firstParty ? 'first_party' : 'third_party';
  /** A person was shown a prompt (`started`), and finished it (`completed`) or not (`refused`). */
  const countInteraction = (prompt: string, outcome: 'started' | 'completed' | 'refused') =>
    metrics.interactions.inc({ prompt, outcome });
  const refused =
    (kind: string) =>
    (
      ctx: KoaContextWithOIDC,
      { error, error_description: description, error_detail: detail, cause }: Refusal,
    ) => {
      if (cause instanceof StoreUnavailable) logger.warn({ err: cause.cause }, 'store not reached');
      const asked =
        error === 'invalid_redirect_uri' ? { redirectOrigin: originOf(ctx.oidc?.params?.redirect_uri) } : {};
      logger.info({ kind, error, description, detail, ...asked }, 'protocol request refused');
    };
  const table: Record<string, Listener> = {
    'grant.success': (ctx: KoaContextWithOIDC) => {
      // A repeated refresh that got the stored response issued nothing.
      if (!ctx.oidc.entities.AccessToken && !ctx.oidc.entities.ClientCredentials) return;
      const [grant = ''] = String(ctx.oidc.params?.grant_type).split(':').slice(-1);
      metrics.tokensIssued.inc({ grant, client_kind: clientKind(ctx.oidc.client?.clientId) });
    },
    'interaction.started': (_ctx: KoaContextWithOIDC, prompt: { name: string }) =>
      countInteraction(prompt.name, 'started'),
    'interaction.ended': ({ oidc }: KoaContextWithOIDC) => {
      const prompt = oidc.entities.Interaction?.prompt;
      if (prompt) countInteraction(prompt.name, 'completed');
    },
    'grant.error': refused('token'),
    'authorization.error': (ctx: KoaContextWithOIDC, error: Refusal) => {
      const { prompt, result } = ctx.oidc.entities.Interaction ?? {};
      if (prompt && result?.error) countInteraction(prompt.name, 'refused');
      refused('authorization')(ctx, error);
    },
    'userinfo.error': refused('userinfo'),
    'introspection.error': refused('introspection'),
    'revocation.error': refused('revocation'),
    'pushed_authorization_request.error': refused('pushed authorization'),
    'device_authorization.error': refused('device authorization'),
    'code_verification.error': refused('device code'),
    'device_resume.error': refused('device code'),
    'end_session.error': refused('logout'),
    'end_session_confirm.error': refused('logout confirmation'),
    error: (error: unknown) => {
      if (isCut(error)) logger.debug({ err: error }, 'connection closed before the response');
      else logger.error({ err: error }, 'response not sent');
    },
    server_error: (ctx: KoaContextWithOIDC, error: unknown) =>
      logger.error({ route: ctx.oidc?.route, err: error }, 'protocol request failed'),
  };
  for (const [event, listener] of Object.entries(table)) {
    (provider as EventEmitter).on(event, (...args: unknown[]) => {
      try {
        listener(...args);
      } catch (error) {
        logger.error({ err: error, event }, 'event listener failed');
      }
    });
  }
}

/** The origin of an unregistered redirect URI shows its owner. Its path may contain data that must not be logged. */
function originOf(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || parseUrl(uri) === undefined) return undefined;
  const { protocol, host } = new URL(uri);
  return `${protocol}//${host}`.slice(0, 300);
}
