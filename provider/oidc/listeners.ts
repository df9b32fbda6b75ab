import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { isCut } from '../lib/cut-connection.ts';
import { StoreUnavailable } from '../lib/errors.ts';

export interface ListenerDeps {
  logger: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  metrics: {
    tokensIssued(grant: string, clientKind: string): void;
    /** A person was asked something (`started`), and did it (`completed`) or not (`refused`). */
    interaction(prompt: string, outcome: 'started' | 'completed' | 'refused'): void;
  };
  clientKind(clientId: string | undefined): string;
}

// biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own; the rows below name theirs.
type Listener = (...args: any[]) => void;

interface Refusal {
  error?: string;
  error_description?: string;
  error_detail?: string;
  cause?: unknown;
}

/**
 * What the library tells, one row each. A Provider is an EventEmitter: a listener that throws would fail the request
 * it listens to, and one that rejects would end the process, so all are synchronous and guarded here (DESIGN §6.8).
 */
export function listen(provider: Provider, deps: ListenerDeps): void {
  const { logger, metrics } = deps;
  const refused =
    (kind: string) =>
    (
      ctx: KoaContextWithOIDC,
      { error, error_description: description, error_detail: detail, cause }: Refusal,
    ) => {
      if (cause instanceof StoreUnavailable)
        logger.warn({ err: cause.cause }, 'a store could not be reached');
      const asked =
        error === 'invalid_redirect_uri' ? { redirectOrigin: originOf(ctx.oidc?.params?.redirect_uri) } : {};
      logger.info({ kind, error, description, detail, ...asked }, 'a protocol request was refused');
    };
  const table: Record<string, Listener> = {
    'grant.success': (ctx: KoaContextWithOIDC) => {
      // A refresh that was answered again issued nothing.
      if (!ctx.oidc.entities.AccessToken && !ctx.oidc.entities.ClientCredentials) return;
      const [grant = ''] = String(ctx.oidc.params?.grant_type).split(':').slice(-1);
      metrics.tokensIssued(grant, deps.clientKind(ctx.oidc.client?.clientId));
    },
    'interaction.started': (_ctx: KoaContextWithOIDC, prompt: { name: string }) =>
      metrics.interaction(prompt.name, 'started'),
    'interaction.ended': ({ oidc }: KoaContextWithOIDC) => {
      const prompt = oidc.entities.Interaction?.prompt;
      if (prompt) metrics.interaction(prompt.name, 'completed');
    },
    'grant.error': refused('token'),
    'authorization.error': (ctx: KoaContextWithOIDC, error: Refusal) => {
      const { prompt, result } = ctx.oidc.entities.Interaction ?? {};
      if (prompt && result?.error) metrics.interaction(prompt.name, 'refused');
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
      if (isCut(error)) logger.debug({ err: error }, 'the connection was cut before the answer was sent');
      else logger.error({ err: error }, 'an answer could not be sent');
    },
    server_error: (ctx: KoaContextWithOIDC, error: unknown) =>
      logger.error({ route: ctx.oidc?.route, err: error }, 'a protocol request failed on our side'),
  };
  for (const [event, listener] of Object.entries(table)) {
    (provider as EventEmitter).on(event, (...args: unknown[]) => {
      try {
        listener(...args);
      } catch (error) {
        logger.error({ err: error, event }, 'a listener failed');
      }
    });
  }
}

/** Of an address that isn't registered the part that tells whose it is: its path may hold what the log mustn't. */
function originOf(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return undefined;
  const { protocol, host } = new URL(uri);
  return `${protocol}//${host}`.slice(0, 300);
}
