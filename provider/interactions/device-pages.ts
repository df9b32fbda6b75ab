import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../ports/account-store.ts';
import { browserName } from './account/browser-name.ts';
import type { LanguageSource } from './pages.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';
import type { PageClient } from './step.ts';

export interface DevicePagesDeps {
  renderer(ctx: LanguageSource): Renderer;
  account(id: string): Promise<Account | undefined>;
  client(id: string): ClientOfDevice | undefined;
  /** Sends the page for errors that don't concern the code. */
  sendErrorPage(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void;
}

type ClientOfDevice = Pick<
  PageClient,
  'name' | 'clientUri' | 'logoUri' | 'policyUri' | 'tosUri' | 'publishedBy'
>;

interface ErrorOut {
  error: string;
  error_description?: string | undefined;
}

interface Form {
  action: string;
  xsrf: string;
}

/** Renders the library's pages for approving a device (RFC 8628 §3.3) with our templates. */
export function createDevicePages(deps: DevicePagesDeps) {
  const clientOf = ({ oidc }: KoaContextWithOIDC) => deps.client(oidc.client?.clientId ?? '');
  return {
    ask: async (
      ctx: KoaContextWithOIDC,
      form: Form,
      failed?: { out: ErrorOut; error: Error },
    ): Promise<void> => {
      const renderer = deps.renderer(ctx);
      if (failed?.error.name === 'AbortedError') return sendPage(ctx, renderer.render('device-done', {}));
      const problem = failed && problemOf(ctx, renderer, failed.error);
      if (failed && !problem) return deps.sendErrorPage(ctx, failed.out, failed.error);
      const page = renderer.render('device', { ...form, userCode: typedCode(ctx), error: problem });
      // When the person may try again, the library throws an error but leaves the status of success.
      sendPage(ctx, page, { status: failed ? Math.max(400, ctx.status) : 200 });
    },
    confirm: async (
      ctx: KoaContextWithOIDC,
      {
        device,
        ...form
      }: Form & { userCode: string; device: { ip?: string | undefined; userAgent?: string | undefined } },
    ): Promise<void> => {
      const renderer = deps.renderer(ctx);
      const client = clientOf(ctx);
      const account = await deps.account(ctx.oidc.session?.accountId ?? '');
      const named = browserName(device.userAgent);
      const page = renderer.render('device-confirm', {
        ...form,
        clientName: client?.name ?? '',
        clientUri: client?.clientUri,
        logoUri: client?.logoUri,
        policyUri: client?.policyUri,
        termsUri: client?.tosUri,
        publishedBy: client?.publishedBy,
        accountEmail: account?.email,
        deviceName: named && nameOf(renderer, named),
        deviceAddress: device.ip,
      });
      sendPage(ctx, page);
    },
    done: async (ctx: KoaContextWithOIDC): Promise<void> => {
      const renderer = deps.renderer(ctx);
      sendPage(ctx, renderer.render('device-done', { clientName: clientOf(ctx)?.name ?? '' }));
    },
  };
}

const nameOf = ({ text }: Renderer, { browser, system }: { browser: string; system?: string | undefined }) =>
  system === undefined ? browser : text('account.browser', { browser, system });

/** Problems that the person can correct by entering a code again. The key is the name of the library's error. */
const problems = new Map([
  ['NoCodeError', 'message.code-missing'],
  ['NotFoundError', 'message.code-unknown'],
  ['ExpiredError', 'message.code-expired'],
  ['AlreadyUsedError', 'message.code-used'],
]);

function problemOf(ctx: KoaContextWithOIDC, { text }: Renderer, error: Error) {
  const field = 'user_code' as const;
  const key = problems.get(error.name);
  if (key !== undefined) return { field, message: text(key) };
  if (ctx.status === 429)
    return { message: text('message.too-many-attempts', { seconds: ctx.response.get('Retry-After') || 60 }) };
  // The form was sent from a page that is not the latest one, or without the session's cookie.
  const isStale = ctx.oidc.route === 'code_verification' && error instanceof errors.InvalidRequest;
  return isStale ? { message: text('message.code-form-expired') } : undefined;
}

/** Returns the code that the person typed, or the code in the address that the device showed. */
function typedCode({ oidc, state }: KoaContextWithOIDC): string | undefined {
  const code = oidc.params?.user_code ?? state.userCode;
  return typeof code === 'string' && code.length <= 40 ? code : undefined;
}
