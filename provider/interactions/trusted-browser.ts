import type { RouterContext } from '@koa/router';

/** The cookie with the proofs of a browser that people trust (accounts/trusted-devices.ts). */
export interface TrustedBrowser {
  /** How many days a browser is trusted; 0 when this is switched off. */
  days: number;
  /** The proofs that the browser sent. */
  read(ctx: RouterContext): string[];
  /** Adds a proof to the cookie of the browser. */
  keep(ctx: RouterContext, proof: string): void;
}

/** Enough for a computer that a family shares; more would make the cookie long. */
const mostProofs = 4;

export function createTrustedBrowser({ days, issuer }: { days: number; issuer: string }): TrustedBrowser {
  const isHttps = issuer.startsWith('https:');
  const name = `${isHttps ? '__Host-' : ''}gatehouse_trusted`;
  const read = (ctx: RouterContext) =>
    (ctx.cookies.get(name, { signed: false }) ?? '')
      .split('.')
      .filter((proof) => /^\d{1,15}~[\w-]{22}$/.test(proof))
      .slice(0, mostProofs);
  return {
    days,
    read: (ctx) => (days === 0 ? [] : read(ctx)),
    keep: (ctx, proof) => {
      const proofs = [proof, ...read(ctx)].slice(0, mostProofs).join('.');
      const attributes = `path=/; max-age=${days * 86_400};${isHttps ? ' secure;' : ''} httponly; samesite=lax`;
      ctx.append('Set-Cookie', `${name}=${proofs}; ${attributes}`);
    },
  };
}
