import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { OidcStore } from '../../ports/oidc-store.ts';
import { orUnavailable } from '../unavailable.ts';
import { DeviceCodeUsed } from './internals.ts';
import { keepFields } from './model-fields.ts';

/** How long a person has to enter the code, and how long it is told from one that never was after that. */
export const deviceCodeSeconds = 600;

export interface DeviceCodeDeps {
  store: Pick<OidcStore, 'putIfAbsent' | 'find'>;
  keys: ServerKeys;
  clock: Clock;
  /** What a client is issued under. */
  clientTokenVersion(clientId: string): number;
  /**
   * Looks up a user code that was typed. What finds nothing counts as a guess (RFC 8628 §5.1).
   * @throws `too_many_requests`
   */
  tryUserCode<T>(lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
}

// biome-ignore lint/suspicious/noExplicitAny: the library's models are built at run time; their types don't allow overriding.
type Model = any;

const current = () => Provider.ctx as KoaContextWithOIDC | undefined;

/** Adds to device codes what a family needs, and what the library lacks. Repeated for every Provider that is built. */
export function extendDeviceCodes(provider: Provider, deps: DeviceCodeDeps): void {
  const model = provider.DeviceCode;
  keepFields(model, ['familyId', 'tokenVersion', 'clientTokenVersion']);
  leaveNewSessionUnsaved(provider.Session);
  startFamily(model, deps);
  findForPerson(model, deps);
}

/**
 * A device is no part of the browser that it was let in from: signing out there must not sign out the television, and the
 * person ends it on the account page. So its family knows nothing of that session, but it does of the account's tokenVersion.
 */
function startFamily(model: Model, deps: DeviceCodeDeps): void {
  const { save } = model.prototype;
  model.prototype.save = async function saveDeviceCode() {
    const oidc = current()?.oidc;
    if (this.familyId === undefined) {
      this.familyId = newId('fam');
      this.clientTokenVersion = deps.clientTokenVersion(this.clientId);
    }
    if (oidc?.route === 'code_verification') await orUnavailable(() => claim(this, deps));
    if (this.accountId) {
      this.tokenVersion ??= (oidc?.account as { tokenVersion?: number } | undefined)?.tokenVersion;
      Object.assign(this, { sessionUid: undefined, sid: undefined, expiresWithSession: undefined });
    }
    return save.call(this);
  };
}

/**
 * What becomes of a device code is decided in one browser: who lets it in first, or denies it, isn't overruled by somebody
 * who looked it up in the same moment. Who closed the page and enters the code again goes on.
 */
function findForPerson(model: Model, deps: DeviceCodeDeps): void {
  const { findByUserCode } = model;
  model.findByUserCode = async (userCode: string, options: object) => {
    const lookUp = (): Promise<ClaimedCode | undefined> => findByUserCode.call(model, userCode, options);
    const code = await orUnavailable(() => deps.tryUserCode(lookUp));
    if (code?.inFlight && (await orUnavailable(() => holderOf(code, deps))) === hereNow())
      code.inFlight = undefined;
    return code;
  };
}

const hereNow = () => current()?.oidc.session?.uid;

interface ClaimedCode {
  inFlight?: boolean | undefined;
  jti: string;
  exp: number;
  userCode: string;
}

const claimNames = ({ jti }: ClaimedCode, { keys }: DeviceCodeDeps) =>
  keys.lookupHashes('DeviceCode claim', jti);

async function claim(code: ClaimedCode, deps: DeviceCodeDeps): Promise<void> {
  const { store, keys } = deps;
  const [name, ...older] = claimNames(code, deps);
  const holder = older.length > 0 ? await holderOf(code, deps) : undefined;
  if (holder === hereNow()) return;
  const payload = keys.seal(`DeviceCode ${name}`, hereNow() ?? '');
  const expiresAt = (code.exp + deviceCodeSeconds) * 1000;
  const isFree =
    holder === undefined && (await store.putIfAbsent('DeviceCode', name, { payload, expiresAt }));
  if (!isFree && (await holderOf(code, deps)) !== hereNow()) throw new DeviceCodeUsed(code.userCode);
}

/** The browser's session that decides about it, by its uid. */
async function holderOf(code: ClaimedCode, deps: DeviceCodeDeps): Promise<string | undefined> {
  for (const name of claimNames(code, deps)) {
    const stored = await deps.store.find('DeviceCode', name);
    if (stored) return deps.keys.open(`DeviceCode ${name}`, stored.payload);
  }
  return undefined;
}

/**
 * Where a form comes without the session's cookie the library gives the page a new session, too late for a cookie, and
 * fails at saving it. It is of no use: the page says that cookies are needed.
 */
function leaveNewSessionUnsaved(model: Model): void {
  const { persist } = model.prototype;
  model.prototype.persist = async function persistSaved() {
    return typeof this.exp === 'number' ? persist.call(this) : undefined;
  };
}
