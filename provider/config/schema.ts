import type { Setting, SettingTable, SettingValue } from './setting.ts';
import { accountSettings } from './settings-accounts.ts';
import { mailSettings } from './settings-mail.ts';
import { operatorSettings } from './settings-operator.ts';
import { pageSettings } from './settings-pages.ts';
import { passkeyAppSettings } from './settings-passkey-apps.ts';
import { serverSettings } from './settings-server.ts';
import { storeSettings } from './settings-stores.ts';
import { tokenSettings } from './settings-tokens.ts';

/** The groups of settings in the order of the reference. */
export const settingGroups: ReadonlyArray<{ title: string; settings: SettingTable }> = [
  { title: 'Server', settings: serverSettings },
  { title: 'Stores and events', settings: storeSettings },
  { title: 'Tokens and keys', settings: tokenSettings },
  { title: 'Clients and accounts', settings: accountSettings },
  { title: 'Passkeys in apps', settings: passkeyAppSettings },
  { title: 'Mail', settings: mailSettings },
  { title: 'Pages', settings: pageSettings },
  { title: 'Operator', settings: operatorSettings },
];

/** The table of all settings, by their key in `Config`. */
export const settings = {
  ...serverSettings,
  ...storeSettings,
  ...tokenSettings,
  ...accountSettings,
  ...passkeyAppSettings,
  ...mailSettings,
  ...pageSettings,
  ...operatorSettings,
};

export type ConfigKey = keyof typeof settings;

/** All settings, parsed. A value that may be undefined belongs to an optional setting without a default. */
export type Config = { readonly [Key in ConfigKey]: SettingValue<(typeof settings)[Key]> };

/** The name of a variable. */
export type SettingName = (typeof settings)[ConfigKey]['name'];

/** The settings that `gatehouse serve` requires. */
export const requiredToServe = [
  'GATEHOUSE_DATABASE_URL',
  'GATEHOUSE_KEYS',
  'GATEHOUSE_SERVER_SECRETS',
] as const satisfies readonly SettingName[];

export interface SettingEntry {
  key: ConfigKey;
  setting: Setting;
}

/** The table as a list, for code that handles all settings in the same way. */
export const settingList: readonly SettingEntry[] = (Object.keys(settings) as ConfigKey[]).map((key) => ({
  key,
  setting: settings[key],
}));
