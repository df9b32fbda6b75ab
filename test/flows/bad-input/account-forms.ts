import {
  type BadInput,
  type Expected,
  form,
  formAgain,
  page,
  type Request,
  sentinel,
  toPerson,
} from './row.ts';
import type { World } from './world.ts';

type Fields = Record<string, string>;

const formExpired = toPerson(400, 'form_expired', /out of date.*Nothing was changed/);
const sessionEnded = toPerson(400, 'session_ended', /session has ended.*Nothing was changed/);
const nothingThere: Expected = { to: 'sender', status: 303, says: /\/account\.$/ };

/** A post of a form of the account page that is valid except for these fields and headers. */
const posting =
  (action: string, fields: Fields | string | Buffer, headers: Record<string, string> = {}) =>
  async (world: World): Promise<Request> => {
    const csrf = await world.accountForm(action);
    const body = typeof fields === 'string' || Buffer.isBuffer(fields) ? fields : { csrf, ...fields };
    return form(`/account/${action}`, body, { Accept: 'text/html', Cookie: world.cookie(), ...headers });
  };

const passwords = { currentPassword: `${sentinel}-old`, newPassword: `${sentinel}-new-password` };
const actions: [action: string, fields: Fields][] = [
  ['end', { id: 'somebody-else' }],
  ['sign-out-everywhere', {}],
  ['withdraw', { client: 'exact' }],
  ['password', passwords],
];

/** What every form refuses. */
const ofEvery: [name: string, fields: Fields, headers: Record<string, string>, expected: Expected][] = [
  ['no form token', { csrf: '' }, {}, formExpired],
  ['a made-up form token', { csrf: sentinel }, {}, formExpired],
  ['a form token of 50,000 characters', { csrf: 'a'.repeat(50_000) }, {}, formExpired],
  ['a NUL for a form token', { csrf: '\0' }, {}, formExpired],
  ['no session', {}, { Cookie: '' }, sessionEnded],
  [
    'an unknown session',
    {},
    { Cookie: `gatehouse_session=${sentinel}; gatehouse_session.sig=x` },
    sessionEnded,
  ],
  ['the origin of another site', {}, { Origin: 'https://evil.example' }, formExpired],
  ['the origin null', {}, { Origin: 'null' }, formExpired],
  [
    'JSON',
    {},
    { 'Content-Type': 'application/json' },
    toPerson(415, 'unsupported_media_type', /Send a form/),
  ],
  ['compression', {}, { 'Content-Encoding': 'gzip' }, toPerson(415, 'unsupported_media_type', /compression/)],
];

const ids = ['', 'somebody-else', '\0', '__proto__', '*', '%', '\ud800', 'a'.repeat(50_000)];
const short = (text: string) => JSON.stringify(text).slice(0, 30);

/** Forms of the account page that come from another page or from no browser. */
export const accountForms: BadInput[] = [
  ...actions.flatMap(([action, fields]) =>
    ofEvery.map(([name, changes, headers, expected]) => ({
      name: `/account/${action} with ${name}`,
      send: posting(action, { ...fields, ...changes }, headers),
      expected,
    })),
  ),
  {
    name: "one form's token in another form",
    send: async (world) => {
      const csrf = await world.accountForm('withdraw');
      return posting('sign-out-everywhere', { csrf })(world);
    },
    expected: formExpired,
  },
  ...ids.map((id) => ({
    name: `ending the place ${short(id)}, which belongs to another account`,
    send: posting('end', { id }),
    expected: nothingThere,
  })),
  ...ids.map((client) => ({
    name: `withdrawing from ${short(client)}, which has no consent`,
    send: posting('withdraw', { client }),
    expected: nothingThere,
  })),
  {
    name: 'a new password with a wrong one',
    send: posting('password', passwords),
    expected: formAgain(400, /isn’t your current password/),
  },
  {
    name: 'a new password without the old one',
    send: posting('password', { ...passwords, currentPassword: '' }),
    expected: formAgain(400, /Enter your current password/),
  },
  {
    name: 'no new password',
    send: posting('password', { ...passwords, newPassword: '' }),
    expected: formAgain(400, /Enter a new password/),
  },
  {
    name: 'a new password of 50,000 characters',
    send: posting('password', { ...passwords, newPassword: sentinel.repeat(6_250) }),
    expected: formAgain(400, /at most 256 characters|isn’t your current password/),
  },
  {
    name: 'an old password of 50,000 characters',
    send: posting('password', { ...passwords, currentPassword: sentinel.repeat(6_250) }),
    expected: formAgain(400, /isn’t your current password/),
  },
  {
    name: 'a new password with a NUL',
    send: posting('password', { ...passwords, newPassword: `${sentinel}\0-new-password` }),
    expected: formAgain(400, /can’t be typed again|isn’t your current password/),
  },
  {
    name: 'a new password of 1 MiB',
    send: posting('password', { ...passwords, newPassword: sentinel.repeat(128 * 1024) }),
    expected: toPerson(413, 'payload_too_large', /at most 64 KiB/),
  },
  {
    name: 'a new password twice',
    send: posting('password', `newPassword=${sentinel}&newPassword=${sentinel}2`),
    expected: toPerson(400, 'invalid_request', /more than once/),
  },
  {
    name: 'an account form that isn’t UTF-8',
    send: posting('end', Buffer.from([0x69, 0x64, 0x3d, 0xff])),
    expected: toPerson(400, 'invalid_request', /UTF-8/),
  },
  {
    name: 'a return from an unknown sign-in',
    send: page('/account/signed-in?code=%00&error=<script>'),
    expected: toPerson(400, 'sign_in_incomplete', /not signed in/),
  },
  {
    name: 'a forged notice',
    send: page('/account/signed-out', { Cookie: 'gatehouse_notice=<script>alert(1)</script>' }),
    expected: { to: 'sender', status: 200, says: /signed out/ },
  },
];
