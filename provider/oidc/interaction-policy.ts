import { decodeJwt } from 'jose';
import { errors, type KoaContextWithOIDC, interactionPolicy as library } from 'oidc-provider';
import type { ClientRegistry } from '../clients/client-registry.ts';
import { levelMissing, meetsAcr, passwordAcr, secondFactorMissing } from '../lib/password-sign-in.ts';
import { clientOf } from './current-request.ts';
import { putBackOfflineAccess } from './patches/requests.ts';
import type { OidcAccount } from './sessions/accounts-view.ts';
import type { TokenPolicy } from './tokens/token-policy.ts';

/**
 * This policy decides when a person sees a prompt. It adds three checks to those of the library. First, the person must
 * sign in again if the account of the session is deleted, disabled or was signed out everywhere. Second, the app must
 * get the person and the level of sign-in that it expects. Third, the person must be able to give at least one of the
 * requested scopes. The prompt `select_account` (Core §3.1.2.1) comes before the others, because the account that the
 * person chooses decides about them.
 * @param reachable the levels that a sign-in can reach here
 */
export function interactionPolicy(
  policyOfTokens: Pick<TokenPolicy, 'permitted'>,
  reachable: readonly string[],
) {
  const policy = library.base();
  const details = ({ oidc }: KoaContextWithOIDC) => ({
    needsSecondFactor: needsSecondFactor(oidc, reachable),
  });
  const selectAccount = new library.Prompt({ name: 'select_account', requestable: true }, details);
  selectAccount.checks.add(unreachableAcr(reachable));
  policy.add(selectAccount, 0);
  const ended = new library.Check(
    'session_ended',
    'the session was ended',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      const signedIn = ctx.oidc.session?.accountId !== undefined;
      return signedIn && !ctx.oidc.account ? library.Check.REQUEST_PROMPT : library.Check.NO_NEED_TO_PROMPT;
    },
  );
  const expected = new library.Check(
    'hinted_person',
    'somebody else signed in',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      refuseAnother(ctx);
      return library.Check.NO_NEED_TO_PROMPT;
    },
  );
  const possible = new library.Check(
    'possible_scopes',
    'no requested scope can be given',
    'access_denied',
    (ctx: KoaContextWithOIDC) => {
      const { permissions } = ctx.oidc.account as OidcAccount;
      if (policyOfTokens.permitted(knownScopes(ctx), permissions).length === 0)
        throw new errors.AccessDenied('the account has no permission for any of the requested scopes');
      return library.Check.NO_NEED_TO_PROMPT;
    },
  );
  const login = policy.get('login');
  if (!login) throw new Error('the policy of the library has no prompt login');
  const known = login.details;
  login.details = async (ctx) => ({ ...(await known(ctx)), ...details(ctx) });
  login.checks.add(ended);
  login.checks.add(expected);
  // The library's checks know no order of levels, and ask again and again for a level that the person cannot reach.
  login.checks.remove('essential_acr');
  login.checks.remove('essential_acrs');
  login.checks.add(missingAcr(reachable));
  login.checks.add(secondFactorOfClient());
  policy.get('consent')?.checks.add(possible);
  return policy;
}

/**
 * The document of a client may require a second factor. Then a session without one is not enough, however it began: single
 * sign-on at such a client needs another sign-in, which asks for the second factor.
 */
function secondFactorOfClient() {
  return new library.Check(
    secondFactorMissing,
    'the client needs a second factor',
    'login_required',
    (ctx: KoaContextWithOIDC) => {
      // Without an account, other checks ask for the whole sign-in.
      const { account, amr } = ctx.oidc;
      const isMissing = account && !amr?.includes('mfa') && clientOf(ctx).requireSecondFactor;
      return isMissing ? library.Check.REQUEST_PROMPT : library.Check.NO_NEED_TO_PROMPT;
    },
    provedBefore,
  );
}

/** The requested scopes that OpenID Connect or one of the requested APIs has. */
function knownScopes({ oidc }: KoaContextWithOIDC): string[] {
  const ofApis = Object.values(oidc.resourceServers ?? {}).flatMap(({ scopes }) => [...scopes]);
  const known = new Set([...oidc.requestParamOIDCScopes, ...ofApis]);
  return [...oidc.requestParamScopes].filter((scope) => known.has(scope));
}

/**
 * Decides about a request without a PKCE challenge. The error says how the app goes on: it reaches a developer who may
 * have only the address bar of a browser.
 * @returns false where the client's document makes PKCE optional
 * @throws InvalidRequest (RFC 7636 §4.4.1)
 */
export function requirePkce(
  ctx: KoaContextWithOIDC,
  clients: Pick<ClientRegistry, 'mayBeThirdParty'>,
): false {
  const { id, auth, pkce } = clientOf(ctx);
  if (pkce === 'optional') return false;
  // A client that registered itself has no document that a person could change.
  const wayOut =
    auth === 'none' || clients.mayBeThirdParty(id)
      ? ''
      : ` If its library has no PKCE, set pkce: optional in the client document of ${id}.`;
  throw new errors.InvalidRequest(
    `code_challenge is missing: switch on PKCE (S256) in the library of the app.${wayOut} See docs/connect/README.md#pkce`,
  );
}

/** SHA-256 in base64url: RFC 7636 §4.2 for PKCE, RFC 7638 §3 for a thumbprint. */
const sha256Text = /^[\w-]{43}$/;

/**
 * Completes the library's checks of a request for authorization, also of a pushed one and of one for a device. A request
 * that can only fail is refused here, before the person signs in for nothing.
 * @throws InvalidScope (RFC 6749 §3.3) when no requested scope is known; InvalidRequest for a challenge or a thumbprint
 *   that no token request could match
 */
export function checkAuthorizationRequest(ctx: KoaContextWithOIDC): void {
  putBackOfflineAccess(ctx);
  const { code_challenge: challenge, dpop_jkt: thumbprint } = ctx.oidc.params ?? {};
  const { scopes } = clientOf(ctx);
  if (knownScopes(ctx).length === 0)
    throw new errors.InvalidScope(
      `the request needs a scope that this client may ask for, such as ${scopes[0]}`,
      String(ctx.oidc.params?.scope ?? ''),
    );
  if (typeof challenge === 'string' && !sha256Text.test(challenge))
    throw new errors.InvalidRequest(
      'code_challenge must be the SHA-256 of the verifier in base64url (43 characters)',
    );
  if (typeof thumbprint === 'string' && !sha256Text.test(thumbprint))
    throw new errors.InvalidRequest('dpop_jkt must be a SHA-256 thumbprint in base64url (43 characters)');
}

/**
 * OpenID Connect Core §3.1.2.1 asks for an error when the person who signs in is not the person that `id_token_hint`
 * names. The library checks the hint before the sign-in, but not after it. It has already verified that we issued the
 * hint.
 */
function refuseAnother({ oidc: { params, result, session, claims } }: KoaContextWithOIDC): void {
  if (!result?.login) return;
  const { sub } = (claims.id_token ?? {}) as { sub?: RequestedClaim | null };
  const hint = params?.id_token_hint;
  const expected = [typeof hint === 'string' ? decodeJwt(hint).sub : undefined, sub?.value];
  if (expected.some((person) => person !== undefined && person !== session?.accountId))
    throw new errors.LoginRequired('somebody else signed in than the app expects');
}

/**
 * Core §5.5.1.1: if an essential acr cannot be met, the sign-in fails. This check is in the first prompt of the policy,
 * so it fails before the person types a password.
 */
function unreachableAcr(reachable: readonly string[]) {
  return new library.Check(
    'acr',
    'the acr cannot be met',
    'login_required',
    ({ oidc }: KoaContextWithOIDC) => {
      const { wanted, isEssential } = requestedAcr(oidc);
      if (isEssential && wanted && !reachable.some((acr) => meetsAcr(acr, wanted)))
        throw new errors.UnmetAuthenticationRequirements(
          `this acr can't be reached here, only ${reachable.join(' ')}`,
        );
      return library.Check.NO_NEED_TO_PROMPT;
    },
  );
}

/**
 * Asks for a higher level when the request wants one that the session does not have (RFC 9470 §5). When this is the only
 * reason of the prompt, only the second factor is missing. The person is asked once. Afterwards an essential level that
 * was not reached is an error, and a voluntary one (`acr_values`, Core §3.1.2.1) is given up. With `prompt=none` a
 * voluntary level is given up at once.
 */
function missingAcr(reachable: readonly string[]) {
  return new library.Check(
    levelMissing,
    'the sign-in has a lower level than the app asks for',
    'login_required',
    ({ oidc }: KoaContextWithOIDC) => {
      const { wanted, isEssential } = requestedAcr(oidc);
      if (!wanted || oidc.session?.accountId === undefined || meetsAcr(oidc.acr, wanted))
        return library.Check.NO_NEED_TO_PROMPT;
      if (oidc.result?.login && isEssential)
        throw new errors.UnmetAuthenticationRequirements('the sign-in did not reach the acr');
      const isHopeless = oidc.result?.login || !reachable.some((acr) => meetsAcr(acr, wanted));
      const isSilent = oidc.prompts.has('none') && !isEssential;
      return isHopeless || isSilent ? library.Check.NO_NEED_TO_PROMPT : library.Check.REQUEST_PROMPT;
    },
    provedBefore,
  );
}

/** What the session proves already, for a step that only adds a second factor. */
const provedBefore = ({ oidc: { session, amr } }: KoaContextWithOIDC) => ({
  provedBefore: { signedInAt: session?.authTime(), amr },
});

/** Whether the request asks for a level that a password alone does not reach, and that can be reached here. */
function needsSecondFactor(oidc: KoaContextWithOIDC['oidc'], reachable: readonly string[]): boolean {
  const { wanted } = requestedAcr(oidc);
  if (!wanted || meetsAcr(passwordAcr, wanted)) return false;
  return reachable.some((acr) => meetsAcr(acr, wanted));
}

/**
 * Core §5.5.1.1: a code for a request with an essential acr has one of the requested values, also when the session has a
 * higher level.
 * @param acr the level of the session
 */
export function acrOfCode(oidc: KoaContextWithOIDC['oidc'], acr: string | undefined): string | undefined {
  const { wanted = [], isEssential } = requestedAcr(oidc);
  if (!isEssential || acr === undefined || wanted.includes(acr)) return acr;
  return wanted.find((one) => meetsAcr(acr, [one])) ?? acr;
}

/**
 * The levels that a request asks for; `wanted` is undefined if it names none. An essential acr of the parameter `claims`
 * counts even if there is an `acr_values` too. The library overwrites the one by the other.
 */
function requestedAcr({ params, claims }: KoaContextWithOIDC['oidc']): {
  wanted?: string[];
  isEssential: boolean;
} {
  const named = typeof params?.claims === 'string' ? (JSON.parse(params.claims) as typeof claims) : {};
  const essential = acrOf(named)?.essential ? acrOf(named) : undefined;
  const { value, values } = essential ?? acrOf(claims) ?? {};
  if (essential && values !== undefined && !Array.isArray(values))
    throw new errors.InvalidRequest('in the parameter claims, id_token.acr.values must be a list');
  const wanted = value === undefined ? values : [value];
  return { isEssential: essential !== undefined, ...(Array.isArray(wanted) ? { wanted } : {}) };
}

const acrOf = ({ id_token }: { id_token?: unknown }) =>
  (id_token as { acr?: RequestedClaim | null } | undefined)?.acr ?? undefined;

/** OpenID Connect Core §5.5.1. */
interface RequestedClaim {
  essential?: boolean;
  value?: unknown;
  values?: unknown;
}
