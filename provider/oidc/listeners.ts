import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

export interface ListenerDeps {
  logger: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  metrics: { tokensIssued(grant: string, clientKind: string): void };
  clientKind(clientId: string | undefined): string;
}

// biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own; the rows below name theirs.
type Listener = (...args: any[]) => void;

/**
 * What the library tells, one row each. A Provider is an EventEmitter: a listener that throws would fail the request
 * it listens to, and one that rejects would end the process, so all are synchronous and guarded here (DESIGN §6.8).
 */
export function listen(provider: Provider, deps: ListenerDeps): void {
  const { logger, metrics } = deps;
  const refused =
    (what: string) =>
    (ctx: KoaContextWithOIDC, error: { error?: string; error_description?: string; error_detail?: string }) =>
      logger.info(
        {
          route: ctx.oidc?.route,
          clientId: ctx.oidc?.client?.clientId,
          error: error.error,
          description: error.error_description,
          detail: error.error_detail,
        },
        `${what} refused`,
      );
  const table: Record<string, Listener> = {
    'grant.success': (ctx: KoaContextWithOIDC) => {
      const grant = String(ctx.oidc.params?.grant_type);
      metrics.tokensIssued(grant, deps.clientKind(ctx.oidc.client?.clientId));
    },
    'grant.error': refused('token request'),
    'authorization.error': refused('authorization request'),
    'userinfo.error': refused('userinfo request'),
    'introspection.error': refused('introspection request'),
    'revocation.error': refused('revocation request'),
    'pushed_authorization_request.error': refused('pushed authorization request'),
    'end_session.error': refused('logout request'),
    'end_session_confirm.error': refused('logout confirmation'),
    error: (error: unknown) => logger.error({ err: error }, 'an answer of the protocol could not be sent'),
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
