import { type KoaContextWithOIDC, interactionPolicy as library } from 'oidc-provider';

/**
 * When a person is asked. To the library's own checks comes one: a session whose account is gone, disabled, or was
 * signed out everywhere has to sign in again.
 */
export function interactionPolicy() {
  const policy = library.base();
  const ended = new library.Check(
    'session_ended',
    'the session was ended',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      const signedIn = ctx.oidc.session?.accountId !== undefined;
      return signedIn && !ctx.oidc.account ? library.Check.REQUEST_PROMPT : library.Check.NO_NEED_TO_PROMPT;
    },
  );
  policy.get('login')?.checks.add(ended);
  return policy;
}
