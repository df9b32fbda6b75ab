import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

const leaving = new WeakSet<object>();

/** For this request no id token is signed: its answer has no place for one, and signing is among the dearest things there are. */
export function leaveOutIdToken(ctx: KoaContextWithOIDC): void {
  leaving.add(ctx);
}

/** Has the library's grants, which sign an id token by themselves, leave it out where they were told to. */
export function heedLeftOutIdTokens(provider: Provider): void {
  const prototype = provider.IdToken.prototype as unknown as {
    ctx: object;
    issue(options: object): Promise<string | undefined>;
  };
  const { issue } = prototype;
  prototype.issue = function issueUnlessLeftOut(options) {
    return leaving.has(this.ctx) ? Promise.resolve(undefined) : issue.call(this, options);
  };
}
