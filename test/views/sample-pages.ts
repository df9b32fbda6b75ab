import { qrOf } from '../../provider/interactions/second-factor.ts';
import type { ViewModels, ViewName } from '../../provider/interactions/view-models.ts';

export type SamplePage = { [View in ViewName]: { view: View; model: ViewModels[View] } }[ViewName];

const client = {
  clientName: 'Contracts Web',
  clientUri: 'https://contracts.example.com',
  policyUri: 'https://contracts.example.com/privacy',
  termsUri: 'https://contracts.example.com/terms',
};

/** The test answers this URL, so no request leaves the machine. */
export const sampleLogo = 'https://contracts.example.com/logo.svg';

const signIn = {
  ...client,
  csrf: 'sample-csrf',
  action: '/interaction/abc/sign-in',
  cancelAction: '/interaction/abc/cancel',
  remember: false,
  signUpUrl: '/interaction/abc/sign-up',
  recoverUrl: '/recover?uid=abc&client_id=contracts-web',
};

const signUp = {
  ...client,
  logoUri: sampleLogo,
  csrf: 'sample-csrf',
  action: '/interaction/abc/sign-up',
  cancelAction: '/interaction/abc/cancel',
  signInUrl: '/interaction/abc/sign-in',
  passwordMinLength: 12,
};

const recover = {
  action: '/recover',
  hidden: { uid: 'abc', client_id: 'contracts-web' },
  signInUrl: '/interaction/abc?client_id=contracts-web',
};

const recoverSent = {
  action: '/recover/code',
  hidden: { flow: 'sample-flow', email: 'john@example.com', uid: 'abc', client_id: 'contracts-web' },
  email: 'john@example.com',
  againUrl: '/recover?uid=abc&client_id=contracts-web',
};

const recoverPassword = {
  action: '/recover/password',
  hidden: { token: 'sample-token' },
  email: 'john@example.com',
  passwordMinLength: 12,
};

const confirmAddress = {
  ...client,
  csrf: 'sample-csrf',
  action: '/interaction/abc/confirm',
  cancelAction: '/interaction/abc/cancel',
  signInUrl: '/interaction/abc/sign-in',
  hidden: { confirmation: 'sample-confirmation' },
  email: 'john@example.com',
  isSent: true,
  mayWait: false,
};

const mailLink = {
  title: 'Confirm your email address',
  message: 'An account was created with the address john@example.com. Confirm that the address is yours.',
  action: '/sign-up/confirm',
  hidden: { token: 'sample-token' },
  submit: 'Confirm',
};

const invitation = {
  ...mailLink,
  title: 'Choose your password',
  message: 'You are invited with the address john@example.com.',
  action: '/invitation',
  password: { email: 'john@example.com', minLength: 15, hint: 'At least 15 characters.' },
  submit: 'Set the password',
};

const time = (text: string) => ({ iso: '2026-11-02T09:30:00.000Z', text });
const when = { since: time('2 Nov 2026, 09:30 UTC'), lastUsed: time('3 Nov 2026, 18:05 UTC') };
const form = (name: string) => ({ action: `/account/${name}`, csrf: 'sample-csrf' });

const account = {
  email: 'john@example.com',
  browsers: [
    {
      id: 'here',
      name: 'Firefox on Linux',
      ip: '192.0.2.1',
      ...when,
      isHere: true,
      apps: ['Contracts Web', 'Shop'],
    },
    { id: 'there', name: 'Safari on iPhone', ip: '2001:db8::1', ...when, isHere: false, apps: [] },
  ],
  apps: [{ id: 'app', name: 'Contracts for Android', browser: 'Chrome on Android', ...when }],
  consented: [
    {
      clientId: 'contracts-web',
      name: 'Contracts Web',
      since: when.since,
      scopes: [{ name: 'email' }],
      apis: [{ name: 'Contracts', scopes: [{ name: 'contracts:read', description: 'Read your contracts' }] }],
    },
  ],
  forms: {
    end: form('end'),
    signOutEverywhere: form('sign-out-everywhere'),
    withdraw: form('withdraw'),
    password: form('password'),
    secondFactor: form('second-factor'),
    address: form('address'),
    addressCode: form('address-code'),
  },
  recent: [
    {
      at: when.lastUsed,
      app: 'Contracts Web',
      method: 'Password and second factor',
      browser: 'Firefox on Linux',
      ip: '192.0.2.1',
    },
    { at: when.since, app: 'Contracts for Android', method: 'Password', ip: '2001:db8::1' },
  ],
  address: { isVerified: true, waiting: 'jane@example.com' },
  hasPassword: true,
  offersSecondFactor: true,
  passwordMinLength: 12,
};

const secret = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP';
const uri =
  'otpauth://totp/Gatehouse:john%40example.com?issuer=Gatehouse&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

const qr = await qrOf(uri);

const secondFactor = {
  ...client,
  csrf: 'sample-csrf',
  action: '/interaction/abc/second-factor',
  cancelAction: '/interaction/abc/cancel',
  hidden: { challenge: 'sample-challenge', remember: 'yes' },
};

const passkey = {
  action: '/interaction/abc/passkey',
  csrf: 'sample-csrf',
  hidden: { sealed: 'sample-offer' },
  options: JSON.stringify({ rpId: 'localhost', challenge: 'AAAA', allowCredentials: [] }),
};
const newPasskey = {
  ...passkey,
  options: JSON.stringify({ rp: { id: 'localhost' }, challenge: 'AAAA', user: { id: 'AAAA' } }),
};

const code = { ...secondFactor, hasApp: true };

const codes = ['kq3f-x7mn-22ab-zjwo', 'b4ty-uu6e-pl5a-c3dd', 'n2vz-7qse-ykmt-rr5h', 'aacx-3wlo-f6jg-p7du'];

const longName = 'Donaudampfschifffahrtsgesellschaftskapitänsmützenverwaltung International Holding';

/** Every page in all its states, by a name that can be used for a file. */
export const samplePages: Record<string, SamplePage> = {
  'sign-in': { view: 'sign-in', model: signIn },
  'sign-in-wrong': {
    view: 'sign-in',
    model: {
      ...signIn,
      email: 'john@example.com',
      error: { message: 'Email address or password is wrong. Check both and try again.' },
    },
  },
  'sign-in-new-password': {
    view: 'sign-in',
    model: { ...signIn, email: 'john@example.com', newPassword: { minLength: 12 } },
  },
  'sign-in-field': {
    view: 'sign-in',
    model: {
      ...signIn,
      email: 'john',
      error: { field: 'email', message: 'Enter an email address like name@example.com.' },
    },
  },
  'sign-in-choice': { view: 'sign-in', model: { ...signIn, continueAs: 'john@example.com' } },
  'sign-in-recovered': {
    view: 'sign-in',
    model: { ...signIn, notice: 'Your password is changed. Sign in with the new one.' },
  },
  recover: { view: 'recover', model: recover },
  'recover-used': {
    view: 'recover',
    model: {
      ...recover,
      error: {
        message:
          'This link was used already, is older than 30 minutes, or a newer mail replaced it. Nothing was changed. Ask for a new mail here.',
      },
    },
  },
  'recover-sent': { view: 'recover-sent', model: recoverSent },
  'recover-sent-wrong': {
    view: 'recover-sent',
    model: {
      ...recoverSent,
      error: { field: 'code', message: 'This code is wrong or too old.' },
    },
  },
  'recover-password': { view: 'recover-password', model: recoverPassword },
  'recover-password-field': {
    view: 'recover-password',
    model: {
      ...recoverPassword,
      error: { field: 'newPassword', message: 'Use at least 12 characters.' },
    },
  },
  'recover-done': { view: 'recover-done', model: { accountUrl: '/account' } },
  'sign-in-passkey': { view: 'sign-in', model: { ...signIn, passkey } },
  'add-passkey': {
    view: 'add-passkey',
    model: { ...client, passkey: newPasskey, later: { csrf: 'sample-csrf', hidden: {} } },
  },
  'add-passkey-failed': {
    view: 'add-passkey',
    model: {
      ...client,
      passkey: newPasskey,
      later: { csrf: 'sample-csrf', hidden: {} },
      error: { message: 'That did not work with this passkey. Try again, or use another way.' },
    },
  },
  'second-factor-passkey': { view: 'second-factor', model: { ...secondFactor, hasApp: false, passkey } },
  'second-factor-both': { view: 'second-factor', model: { ...code, passkey } },
  'sign-up': { view: 'sign-up', model: signUp },
  'sign-up-field': {
    view: 'sign-up',
    model: {
      ...signUp,
      email: 'john@example.com',
      error: { field: 'password', message: 'Use at least 12 characters.' },
    },
  },
  'confirm-address': { view: 'confirm-address', model: confirmAddress },
  'confirm-address-wrong': {
    view: 'confirm-address',
    model: {
      ...confirmAddress,
      notice: 'We sent another mail.',
      mayWait: true,
      error: { field: 'code', message: 'This code is wrong or too old.' },
    },
  },
  'confirm-address-required': { view: 'confirm-address', model: { ...confirmAddress, isSent: false } },
  'mail-link': {
    view: 'mail-link',
    model: { ...mailLink, csrf: 'sample-csrf', aside: 'You do not want this account? Close this page.' },
  },
  'mail-link-password': { view: 'mail-link', model: invitation },
  'mail-link-wrong': {
    view: 'mail-link',
    model: { ...invitation, error: { field: 'password', message: 'Use at least 15 characters.' } },
  },
  'link-done': {
    view: 'link-done',
    model: {
      title: 'Your address is confirmed',
      message: 'Thank you. You can sign in as john@example.com now.',
      continueUrl: '/account',
    },
  },
  'link-done-client': {
    view: 'link-done',
    model: {
      title: 'Your password is set',
      message: 'You can sign in as john@example.com now.',
      continueUrl: 'https://contracts.example.com/',
      clientName: 'Contracts Web',
    },
  },
  consent: {
    view: 'consent',
    model: {
      ...client,
      logoUri: sampleLogo,
      csrf: 'sample-csrf',
      action: '/interaction/abc/consent',
      accountEmail: 'john@example.com',
      scopes: [{ name: 'openid' }, { name: 'email' }, { name: 'offline_access' }],
      apis: [
        {
          name: 'Contracts',
          scopes: [
            { name: 'contracts:read', description: 'Read your contracts' },
            { name: 'contracts:write', description: 'Create and change contracts in your name' },
          ],
        },
      ],
      redirectHost: 'contracts.example.com',
    },
  },
  'consent-long': {
    view: 'consent',
    model: {
      clientName: longName,
      clientUri: 'https://a-rather-long-subdomain.of-some-department.contracts.example.com',
      csrf: 'sample-csrf',
      action: '/interaction/abc/consent',
      accountEmail: 'a.person.with.a.very.long.address.indeed@department.of.things.example.com',
      scopes: [],
      apis: [
        { name: longName, scopes: [{ name: 'urn:example:a-scope-without-any-description:read-everything' }] },
      ],
    },
  },
  logout: {
    view: 'logout',
    model: {
      action: '/oauth2/logout/confirm',
      xsrf: 'sample-xsrf',
      clientName: 'Contracts Web',
      accountEmail: 'john@example.com',
    },
  },
  'signed-out': { view: 'signed-out', model: {} },
  'signed-out-stayed': { view: 'signed-out', model: { stillSignedIn: true } },
  'signed-out-client': { view: 'signed-out', model: client },
  account: { view: 'account', model: account },
  'account-told': {
    view: 'account',
    model: { ...account, notice: 'The app has no access any more.', earlier: '/account?after=1.fam_abc' },
  },
  'account-old': {
    view: 'account',
    model: {
      ...account,
      secondFactor: { app: { since: when.since }, recoveryCodes: 9 },
      address: { isVerified: true },
      forms: {
        end: form('end'),
        signOutEverywhere: form('sign-out-everywhere'),
        withdraw: form('withdraw'),
      },
      signInAgain: { address: '/again', password: '/again', secondFactor: '/again' },
    },
  },
  'account-address-waits': {
    view: 'account',
    model: {
      ...account,
      notice: 'We have sent a mail to the new address.',
      address: {
        isVerified: false,
        waiting: 'a.person.with.a.very.long.address.indeed@department.example.com',
      },
    },
  },
  'account-address-wrong': {
    view: 'account',
    model: {
      ...account,
      address: { isVerified: true, waiting: 'jane@example.com', typed: 'jane' },
      error: { field: 'newEmail', message: 'Enter an email address like name@example.com.' },
    },
  },
  'account-address-code-wrong': {
    view: 'account',
    model: {
      ...account,
      address: { isVerified: true, waiting: 'jane@example.com' },
      error: { field: 'addressCode', message: 'This code is wrong or too old.' },
    },
  },
  'account-address-confirm': {
    view: 'account-address',
    model: {
      title: 'Confirm your new address',
      message: 'The account john@example.com gets the address jane@example.com.',
      form: {
        action: '/account/address/confirm',
        hidden: { token: 'sample' },
        submit: 'Confirm the address',
      },
      accountUrl: '/account',
    },
  },
  'account-address-undo': {
    view: 'account-address',
    model: {
      title: 'Undo the change of the address',
      message: 'The account gets the address john@example.com again, instead of jane@example.com.',
      effect: 'You are signed out everywhere, and choose a new password next.',
      form: { action: '/account/address/undo', hidden: { token: 'sample' }, submit: 'Undo the change' },
      accountUrl: '/account',
    },
  },
  'account-address-done': {
    view: 'account-address',
    model: {
      title: 'Your address is changed',
      message: 'From now on you sign in with jane@example.com.',
      accountUrl: '/account',
    },
  },
  'account-wrong': {
    view: 'account',
    model: {
      ...account,
      error: { field: 'currentPassword', message: 'This isn’t your current password. Try again.' },
    },
  },
  'account-factor': {
    view: 'account',
    model: { ...account, secondFactor: { app: { since: when.since }, recoveryCodes: 9 } },
  },
  'account-passkeys': {
    view: 'account',
    model: {
      ...account,
      secondFactor: { recoveryCodes: 10 },
      passkeys: {
        list: [
          { id: 'AAAA', name: 'Safari on iPhone', isShareable: true, ...when },
          { id: 'BBBB', name: 'Chrome on Windows', isShareable: false, since: when.since },
        ],
        form: form('passkeys'),
        add: { ...newPasskey, action: '/account/passkeys' },
      },
    },
  },
  'account-passkeys-old': {
    view: 'account',
    model: {
      ...account,
      passkeys: {
        list: [{ id: 'AAAA', name: longName, isShareable: true, ...when }],
        signInAgain: '/oauth2/authorize?prompt=login',
        error: 'This passkey is not in your account any more.',
      },
    },
  },
  'account-factor-wrong': {
    view: 'account',
    model: {
      ...account,
      error: { field: 'factorPassword', message: 'This isn’t your current password. Try again.' },
    },
  },
  'account-second-factor': {
    view: 'account-second-factor',
    model: {
      csrf: 'sample-csrf',
      action: '/account/authenticator',
      cancelUrl: '/account',
      hidden: { enrolment: 'sample' },
      qr,
      secret,
    },
  },
  'recovery-codes': {
    view: 'recovery-codes',
    model: {
      codes,
      form: { csrf: 'sample-csrf', action: '/interaction/abc/second-factor', hidden: { done: 'sample' } },
    },
  },
  'recovery-codes-account': { view: 'recovery-codes', model: { codes, continueUrl: '/account' } },
  'second-factor': { view: 'second-factor', model: code },
  'second-factor-trust': { view: 'second-factor', model: { ...code, trustDays: 30, lostHours: 72 } },
  'second-factor-lost': {
    view: 'second-factor',
    model: { ...code, lostHours: 72, removalAt: 'January 5, 2026 at 3:04 AM UTC' },
  },
  'second-factor-wrong': {
    view: 'second-factor',
    model: {
      ...code,
      error: { field: 'code', message: 'This code is wrong, or it was used already.' },
    },
  },
  'second-factor-recovery': {
    view: 'second-factor',
    model: {
      ...code,
      error: { field: 'recoveryCode', message: 'This code is wrong, or it was used already.' },
    },
  },
  'add-second-factor': {
    view: 'add-second-factor',
    model: { ...secondFactor, qr, secret, passkey: newPasskey },
  },
  'account-signed-out': {
    view: 'account-signed-out',
    model: { title: 'You’re signed out', message: 'Your session has ended.', accountUrl: '/account' },
  },
  device: { view: 'device', model: { action: '/device', xsrf: 'sample-xsrf' } },
  'device-wrong': {
    view: 'device',
    model: {
      action: '/device',
      xsrf: 'sample-xsrf',
      userCode: 'WDJB-MJHT',
      error: {
        field: 'user_code',
        message: 'There is no such code, or it has expired. Check what the device shows and try again.',
      },
    },
  },
  'device-limited': {
    view: 'device',
    model: {
      action: '/device',
      xsrf: 'sample-xsrf',
      userCode: 'wdjb mjht',
      error: { message: 'Too many tries. Wait 60 seconds, then try again.' },
    },
  },
  'device-confirm': {
    view: 'device-confirm',
    model: {
      ...client,
      action: '/device',
      xsrf: 'sample-xsrf',
      userCode: 'WDJB-MJHT',
      accountEmail: 'john@example.com',
      deviceAddress: '192.0.2.1',
      deviceName: 'Chrome on Linux',
    },
  },
  'device-done': { view: 'device-done', model: { clientName: 'Contracts TV' } },
  'device-denied': { view: 'device-done', model: {} },
  error: {
    view: 'error',
    model: {
      title: 'This sign-in has expired',
      message: 'It took too long, or was finished already. Go back to the app and sign in again.',
      detail: 'the request could not be answered',
      code: 'interaction_expired',
      requestId: 'req_5LQv0yT1b0bVQm3wY3oT6A',
      backUrl: 'https://contracts.example.com',
      clientName: 'Contracts Web',
    },
  },
  home: {
    view: 'home',
    model: {
      issuer: 'https://login.example.com',
      discoveryUrl: 'https://login.example.com/.well-known/openid-configuration',
      openApiUrl: 'https://login.example.com/openapi.json',
    },
  },
};
