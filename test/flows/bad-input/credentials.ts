import { demo } from '../../support/deployment.ts';
import { type BadInput, form, json, sentinel, toClient, toProgram } from './row.ts';

const { email, password } = demo;

/** Addresses and passwords of no account. They are refused and cause no server error. */
const unknownAccounts: [name: string, email: string, password: string][] = [
  ['an empty password', email, ''],
  ['an empty address', '', password],
  ['a NUL in the address', `${email}\0`, password],
  ['a NUL in the password', email, `${password}\0`],
  ['only a NUL', '\0', '\0'],
  ['half a surrogate pair in the address', '\ud800@example.com', password],
  ['half a surrogate pair in the password', email, `${sentinel}\udfff`],
  ['text that runs from right to left', `\u202e${email}`, password],
  ['an invisible character', `john\u200b@example.com`, password],
  ['letters that only look alike', 'j\u043ehn@example.com', password],
  ['full-width letters', '\uff4aohn@example.com', password],
  ['a dotless i, and other case rules', 'JOHN@EXAMPLE.C\u0130M', password],
  ['the password in another case', email, password.toUpperCase()],
  ['a blank after the password', email, `${password} `],
  ['an address with a line break', `${email}\r\nBcc: x@example.com`, password],
  ['SQL in the address', "' OR 1=1 --", password],
  ['SQL for any letters', '%', password],
  ['a pattern of Redis', '*', password],
  ['a template', '{{constructor.constructor("return process")()}}', password],
  ['the name of a property', '__proto__', password],
  ['combining marks, 250 of them', `a${'\u0301'.repeat(250)}`, password],
  ['254 emoji', '\u{1f600}'.repeat(127), `${sentinel}${'\u{1f511}'.repeat(500)}`],
];

/** What sign-up refuses, by field. */
const unfit: [name: string, email: string, password: string, pointers: string[]][] = [
  ['next to nothing', '', 'x', ['/email', '/password']],
  ['no address', 'no-address', `${sentinel}-all-fine`, ['/email']],
  ['a NUL in the address', 'a\0@example.com', `${sentinel}-all-fine`, ['/email']],
  ['half a surrogate pair in the address', 'a\ud800@example.com', `${sentinel}-all-fine`, ['/email']],
  ['a line break in the address', 'a@example.com\r\nBcc: b@example.com', `${sentinel}-all-fine`, ['/email']],
  ['an invisible character in the address', 'a\u202e@example.com', `${sentinel}-all-fine`, ['/email']],
  ['markup in the address', '<script>@ <x>', `${sentinel}-all-fine`, ['/email']],
  ['a NUL in the password', 'nul@example.com', `${sentinel}\0-all-fine`, ['/password']],
  ['half a surrogate pair in the password', 'half@example.com', `${sentinel}-surrogate\ud800`, ['/password']],
  ['a character that was lost', 'lost@example.com', `${sentinel}-was-lost\ufffd`, ['/password']],
  ['a line break in the password', 'line@example.com', `${sentinel}\n-all-fine`, ['/password']],
  ['257 code points', 'long@example.com', sentinel.padEnd(257, 'x'), ['/password']],
  ['7 emoji', 'short@example.com', '\u{1f511}'.repeat(7), ['/password']],
  ['the address as the password', 'same@example.com', 'SAME@example.com', ['/password']],
];

const wrongPassword = /address or the password is wrong/;

/** NUL bytes and odd Unicode in addresses and passwords, wherever they are taken. */
export const credentials: BadInput[] = [
  ...unknownAccounts.map(([name, address, typed]) => ({
    name: `/auth/login with ${name}`,
    send: json('/auth/login', { email: address, password: typed }),
    expected: toProgram(401, 'invalid_credentials', wrongPassword),
  })),
  ...unknownAccounts
    .filter(([, address, typed]) => address !== '' && typed !== '')
    .map(([name, username, typed]) => ({
      name: `the password grant with ${name}`,
      send: form('/oauth2/token', {
        grant_type: 'password',
        client_id: 'demo-first-party',
        username,
        password: typed,
      }),
      expected: toClient(400, 'invalid_grant', wrongPassword),
    })),
  ...unfit.map(([name, address, typed, pointers]) => ({
    name: `/auth/register with ${name}`,
    send: json('/auth/register', { email: address, password: typed }),
    expected: toProgram(400, 'validation_failed', /address|password/i, pointers),
  })),
];
