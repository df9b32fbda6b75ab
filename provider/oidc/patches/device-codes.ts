import type { AdapterPayload } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../lib/clock.ts';
import { newId, randomToken } from '../../lib/ids.ts';
import { currentContext, orUnavailable } from '../current-request.ts';
import { acrOfCode } from '../interaction-policy.ts';
import type { OidcServices } from '../services.ts';
import { ungrantedScope } from './authorization-codes.ts';
import { DeviceCodeUsed, type Method } from './internals.ts';

/** How long a person has to enter the code, in seconds. */
export const deviceCodeSeconds = 600;

type Services = Pick<OidcServices, 'store' | 'keys'>;

/**
 * A device is independent of the browser in which the person allowed it. If the person signs out in the browser, the
 * device stays signed in. The person can sign it out on the account page. So the device's family has no session, but it
 * has the account's token version.
 */
export function saveDeviceCode(save: Method, services: OidcServices): Method {
  return async function saveDeviceCode() {
    const oidc = currentContext()?.oidc;
    if (this.familyId === undefined) {
      this.jti = newDeviceCode(epochSeconds(services.clock) + deviceCodeSeconds);
      this.familyId = newId('fam');
      this.clientTokenVersion = services.clientTokenVersions.of(this.clientId);
    }
    if (oidc?.route === 'code_verification') await orUnavailable(() => claim(this, services));
    if (this.accountId) {
      this.tokenVersion ??= (oidc?.account as { tokenVersion?: number } | undefined)?.tokenVersion;
      this.ungrantedScope ??= ungrantedScope(this as { scopes: Set<string> });
      if (oidc) this.acr = acrOfCode(oidc, this.acr);
      Object.assign(this, { sessionUid: undefined, sid: undefined, expiresWithSession: undefined });
      const client = services.clients.find(this.clientId);
      if (client?.backchannelLogoutUri !== undefined) {
        // A device has no session of a browser: its family is what ends.
        this.sid = this.familyId;
        const { sid, accountId, tokenVersion } = this;
        await orUnavailable(() => services.sessionsAtClients.join(client, { sid, accountId, tokenVersion }));
      }
    }
    return save.call(this);
  };
}

/**
 * The normal form of a user code: case and characters outside the alphabet are ignored (RFC 8628 §6.1). Letters of full
 * width, which Japanese and Chinese keyboards write, count as the same letters. The library keeps digits and
 * underscores and drops letters of full width.
 */
const userCodeKey = (typed: string) =>
  typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^BCDFGHJKLMNPQRSTVWXZ]/g, '');

/**
 * The text of a device code ends with the time when it expires. So a device whose code has expired gets an error that
 * says so (RFC 8628 §3.5), although an expired code is not stored.
 *
 * @param expiresAt seconds since the epoch
 */
const newDeviceCode = (expiresAt: number) => `${randomToken(32)}.${expiresAt.toString(36)}`;

/** The payload of a code that is not in the store, if its text says that it has expired. */
export function expiredDeviceCode(code: string, clock: Clock): AdapterPayload | undefined {
  const { end } = /^[\w-]{43}\.(?<end>[a-z0-9]{1,8})$/.exec(code)?.groups ?? {};
  const exp = Number.parseInt(end ?? '', 36);
  const oidc = currentContext()?.oidc;
  if (oidc === undefined || !(exp <= epochSeconds(clock))) return undefined;
  return { kind: 'DeviceCode', jti: code, exp, clientId: oidc.client?.clientId };
}

/**
 * Only one browser decides about a device code. If two browsers look up the code at the same time, the second one
 * cannot change the decision of the first. A person who closed the page can enter the code again in the same browser
 * and continue.
 */
export function findByUserCode(find: Method, services: OidcServices): Method {
  return async function findByUserCode(userCode: string, options: object) {
    const typed = currentContext()?.oidc.params?.user_code;
    const wanted = typeof typed === 'string' ? userCodeKey(typed) : userCode;
    const lookUp = (): Promise<ClaimedCode | undefined> => find.call(this, wanted, options);
    const code = await orUnavailable(() => services.rateLimits.userCode(lookUp));
    if (code?.inFlight && (await orUnavailable(() => holderOf(code, services))) === currentSession())
      code.inFlight = undefined;
    return code;
  };
}

const currentSession = () => currentContext()?.oidc.session?.uid;

interface ClaimedCode {
  inFlight?: boolean | undefined;
  jti: string;
  exp: number;
  userCode: string;
}

const claimNames = ({ jti }: ClaimedCode, { keys }: Services) => keys.lookupHashes('DeviceCode claim', jti);

/** Claims the code for this browser's session. @throws DeviceCodeUsed when another browser has it */
async function claim(code: ClaimedCode, services: Services): Promise<void> {
  const { store, keys } = services;
  const [name, ...older] = claimNames(code, services);
  const holder = older.length > 0 ? await holderOf(code, services) : undefined;
  if (holder === currentSession()) return;
  const payload = keys.seal(`DeviceCode ${name}`, currentSession() ?? '');
  const expiresAt = code.exp * 1000;
  const isFree =
    holder === undefined && (await store.putIfAbsent('DeviceCode', name, { payload, expiresAt }));
  if (!isFree && (await holderOf(code, services)) !== currentSession())
    throw new DeviceCodeUsed(code.userCode);
}

/** The uid of the browser's session that decides about the code. */
async function holderOf(code: ClaimedCode, services: Services): Promise<string | undefined> {
  for (const name of claimNames(code, services)) {
    const stored = await services.store.find('DeviceCode', name);
    if (stored) return services.keys.open(`DeviceCode ${name}`, stored.payload);
  }
  return undefined;
}
