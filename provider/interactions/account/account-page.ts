import type { Context } from 'koa';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { Consent } from '../../ports/consent-store.ts';
import type { Renderer } from '../render.ts';
import { describeConsent } from '../requested-consent.ts';
import { sendPage } from '../send-page.ts';
import type { FormError } from '../view-values.ts';
import type { AccountDeps } from './account-deps.ts';
import { type AccountAction, accountFormToken } from './account-form.ts';
import { describePasskeys } from './describe-passkeys.ts';
import { describeRecent, describeSignIns, timeView } from './describe-sign-ins.ts';
import { freshSignInUrl, isFresh } from './fresh-sign-in.ts';
import { takeNotice } from './notice.ts';
import type { AccountField, AccountView, ConsentedAppView } from './view-models.ts';

/** The problem with a form. */
export interface AccountProblem {
  status: number;
  error?: FormError<AccountField>;
  /** The problem with a passkey. */
  passkeys?: string;
  /** The new address that the person typed. */
  typedEmail?: string | undefined;
}

/**
 * Shows the account page: where the account is signed in, which apps have access, and a form for a new password.
 *
 * The list of sign-ins has pages. The query's `after` is the position after the page before; without it, and with a
 * problem to show, this is the first page.
 */
export async function showAccount(
  deps: AccountDeps,
  ctx: Context,
  session: BrowserSession,
  problem?: AccountProblem,
): Promise<void> {
  const { account } = session;
  const renderer = deps.renderer(ctx);
  const after = problem ? undefined : [ctx.query.after ?? []].flat()[0];
  const [signIns, consents, factor, waiting, recent, passkeys] = await Promise.all([
    deps.signIns.page(account.id, after),
    deps.consents(account.id),
    account.hasSecondFactor ? deps.factorOf(account.id) : undefined,
    deps.changeAddress?.waiting(account.id),
    deps.signInHistory(account.id),
    describePasskeys(deps, session, problem?.passkeys),
  ]);
  const notice = takeNotice(ctx, deps);
  const view: AccountView = {
    email: account.email,
    notice: notice && noticeText(renderer, notice),
    ...describeSignIns(deps, renderer, session, {
      signIns: signIns.entries,
      isFirst: after === undefined,
    }),
    earlier: signIns.next && `${deps.basePath}/account?after=${encodeURIComponent(signIns.next)}`,
    consented: consents.flatMap((consent) => describeApp(deps, consent) ?? []),
    forms: formsOf(deps, session, waiting),
    recent: recent.map((signIn) => describeRecent(deps, renderer, signIn)),
    address: deps.changeAddress && {
      isVerified: account.emailVerified,
      waiting,
      typed: problem?.typedEmail,
    },
    signInAgain: isFresh(session, deps.now())
      ? undefined
      : {
          address: freshSignInUrl(deps, session, 'address'),
          password: freshSignInUrl(deps, session, 'password'),
          secondFactor: freshSignInUrl(deps, session, 'second-factor'),
        },
    hasPassword: account.passwordHash !== undefined,
    secondFactor: factor && {
      app: factor.hasApp ? { since: timeView(factor.addedAt) } : undefined,
      recoveryCodes: factor.recoveryCodes,
    },
    passkeys,
    offersSecondFactor: deps.offersSecondFactor,
    passwordMinLength: deps.passwordLengthFor(account).shortest,
    error: problem?.error,
  };
  sendPage(ctx, renderer.render('account', view), { status: problem?.status ?? 200 });
}

const shownHere = [
  ...['ended', 'ended-already', 'withdrawn', 'withdrawn-already', 'factor-removed'],
  ...['passkey-added', 'passkey-renamed', 'passkey-removed'],
  ...['signed-in-again', 'address-sent', 'address-changed'],
];

const noticeText = ({ text }: Renderer, notice: string) =>
  shownHere.includes(notice) ? text(`account.notice.${notice}`) : undefined;

/**
 * Describes an app for the list of consents. A first-party client needs no consent. Consents that it got before it
 * became first-party have no meaning any more.
 */
function describeApp({ app, apis }: AccountDeps, consent: Consent): ConsentedAppView | undefined {
  const { clientId, since } = consent;
  const client = app(clientId);
  if (client?.firstParty) return undefined;
  return {
    clientId,
    name: client?.name ?? clientId,
    since: timeView(since),
    ...describeConsent(apis, consent),
  };
}

function formsOf(
  { basePath, keys, now }: AccountDeps,
  session: BrowserSession,
  waiting: string | undefined,
): AccountView['forms'] {
  const form = (action: AccountAction) => ({
    action: `${basePath}/account/${action}`,
    csrf: accountFormToken(keys, session, action),
  });
  const forms: AccountView['forms'] = {
    end: form('end'),
    signOutEverywhere: form('sign-out-everywhere'),
    withdraw: form('withdraw'),
  };
  if (waiting !== undefined) forms.addressCode = form('address-code');
  if (!isFresh(session, now())) return forms;
  return {
    ...forms,
    address: form('address'),
    password: form('password'),
    secondFactor: form('second-factor'),
  };
}
