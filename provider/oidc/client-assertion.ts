import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import { clientOf } from './current-request.ts';
import { expectAssertion } from './patches/requests.ts';

/** An assertion is made for one request. A longer life would only help someone who copied it. */
const longestSeconds = 600;

/** The sender's clock may be ahead by this much. The library allows the same for `nbf`, and for `exp` in the past. */
const clockAheadSeconds = 15;

/** RFC 7515 §4.1.9: `application/` may be left out, and case has no meaning. */
const assertionType = /^(application\/)?(jwt|client-authentication\+jwt)$/i;

/**
 * Checks a client assertion (RFC 7523 §3) further than the library does: it takes a list of audiences, any `exp` and any
 * `typ`. The audience is the issuer alone. With the token endpoint's URL or a second entry, another server that the
 * client trusts could use the assertion here.
 * @returns the library's hook; it is called after the signature was verified
 * @throws InvalidClientAuth that says what is wrong, because only the client itself can have signed the assertion
 */
export function checkClientAssertion({ clock }: { clock: Clock }) {
  return async (
    ctx: KoaContextWithOIDC,
    { aud, exp }: { aud?: unknown; exp?: unknown },
    { typ }: { typ?: unknown },
  ): Promise<void> => {
    const { oidc } = ctx;
    const allowed = [oidc.issuer];
    if (clientOf(ctx).assertionAudience === 'token_endpoint') allowed.push(oidc.urlFor('token'));
    if (typeof aud !== 'string' || !allowed.includes(aud))
      throw refused(`aud of the client assertion must be ${oidc.issuer} alone, as a string`);
    if (typeof exp !== 'number' || exp > epochSeconds(clock) + longestSeconds + clockAheadSeconds)
      throw refused(`exp of the client assertion must be at most ${longestSeconds} seconds ahead`);
    if (typ !== undefined && !(typeof typ === 'string' && assertionType.test(typ)))
      throw refused('typ of the client assertion must be client-authentication+jwt or JWT, or left out');
    expectAssertion(ctx);
  };
}

function refused(description: string): errors.OIDCProviderError {
  return Object.assign(new errors.InvalidClientAuth(description), { error_description: description });
}
