import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { RequestOrigin } from '../lib/request-scope.ts';

/** The pages that the library shows: made in interactions/, called from its configuration. */
export interface ProtocolPages {
  logout: LogoutPages;
  /** Undefined where the device flow is off. */
  device: DevicePages | undefined;
  /** Answers a person with our error page; programs get JSON before this is called. */
  renderError: NonNullable<Configuration['renderError']>;
  /** The languages of the pages, for discovery. */
  languages: readonly string[];
  /** The address of an interaction's first page, with the issuer's path. */
  interactionPath(uid: string, clientId: string): string;
}

/** RP-Initiated Logout §2, §3. */
export interface LogoutPages {
  confirm(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  done(ctx: KoaContextWithOIDC): Promise<void>;
}

/** RFC 8628 §3.3, for the person who has the device. */
export interface DevicePages {
  /** Asks for the code; `failed` says what was wrong with the last one. */
  ask(ctx: KoaContextWithOIDC, form: DeviceForm, failed?: { out: ErrorOut; error: Error }): Promise<void>;
  confirm(
    ctx: KoaContextWithOIDC,
    form: DeviceForm & { userCode: string; device: RequestOrigin },
  ): Promise<void>;
  done(ctx: KoaContextWithOIDC): Promise<void>;
}

interface ErrorOut {
  error: string;
  error_description?: string | undefined;
}

interface DeviceForm {
  action: string;
  xsrf: string;
}
