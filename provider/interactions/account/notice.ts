import type { Context } from 'koa';
import { z } from 'zod';

/** The message that the next page shows about an action. */
const noticeSchema = z.enum([
  'ended',
  'ended-already',
  'withdrawn',
  'withdrawn-already',
  'signed-out',
  'signed-out-everywhere',
  'password-changed',
  'factor-removed',
  'passkey-added',
  'passkey-renamed',
  'passkey-removed',
  'signed-in-again',
  'address-sent',
  'address-changed',
]);

export type Notice = z.infer<typeof noticeSchema>;

export interface NoticeDeps {
  issuer: string;
  basePath: string;
}

/**
 * Stores a notice for the next page. It is stored in a cookie and not in the address. Otherwise an attacker could send
 * a person an address that shows a false notice, for example that the password was changed.
 */
export function leaveNotice(ctx: Context, deps: NoticeDeps, notice: Notice): void {
  ctx.append('Set-Cookie', cookie(deps, notice, 60));
}

/** Reads and removes the stored notice, if there is one. */
export function takeNotice(ctx: Context, deps: NoticeDeps): Notice | undefined {
  const left = ctx.cookies.get(cookieName(deps));
  if (left === undefined) return undefined;
  ctx.append('Set-Cookie', cookie(deps, '', 0));
  return noticeSchema.safeParse(left).data;
}

/** The prefix of the name prevents a related host without https from setting this cookie (RFC 6265bis §4.1.3.1). */
const cookieName = ({ issuer }: NoticeDeps) =>
  issuer.startsWith('https:') ? '__Secure-gatehouse_notice' : 'gatehouse_notice';

function cookie(deps: NoticeDeps, value: string, seconds: number): string {
  const secure = deps.issuer.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(deps)}=${value}; Path=${deps.basePath}/account; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}
