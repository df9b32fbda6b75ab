import type { ClientFace, FormError } from './view-values.ts';

/** The data of the pages of the device flow (RFC 8628). */

/** Posts `xsrf` and `user_code` to `action`. */
export interface DeviceView {
  action: string;
  xsrf: string;
  /** The code that the person typed before, or the code in the address that the device showed. */
  userCode?: string | undefined;
  error?: FormError<'user_code'> | undefined;
}

/** Posts `xsrf`, `user_code` and `confirm=yes` or `abort=yes` to `action`. */
export interface DeviceConfirmView extends ClientFace {
  action: string;
  xsrf: string;
  /** The code as the device shows it. */
  userCode: string;
  /** The account that is already signed in. */
  accountEmail?: string | undefined;
  /** The address that the device's request came from, and the name that the device gave itself in this request. */
  deviceAddress?: string | undefined;
  deviceName?: string | undefined;
}

export interface DeviceDoneView {
  /** The app that the person approved. Undefined when the person denied it. */
  clientName?: string | undefined;
}
