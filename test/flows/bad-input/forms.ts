import { demo } from '../../support/deployment.ts';
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
import type { Waiting, World } from './world.ts';

const { email, password } = demo;
const browser = { Accept: 'text/html' };

const expired = toPerson(400, 'interaction_expired', /expired.*Go back to the app/);
const again = formAgain(400, /Email address or password is wrong/);
const noForm = toPerson(415, 'unsupported_media_type', /Send a form/);
const badForm = (says: RegExp) => toPerson(400, 'invalid_request', says);

type Fields = Record<string, string> | string | Buffer;
type Change = (waiting: Waiting) => { fields?: Fields; headers?: Record<string, string>; path?: string };

/** A post of the sign-in form that is valid except for one change. */
const signIn = (change: Change) => async (world: World) => posting(await world.waiting(), 'sign-in', change);
const signUp = (change: Change) => async (world: World) => posting(await world.waiting(), 'sign-up', change);
const consent = (change: Change) => async (world: World) =>
  posting(await world.consenting(), 'consent', change);

function posting(waiting: Waiting, step: string, change: Change): Request {
  const { fields = filled(waiting), headers, path = waiting.path } = change(waiting);
  return form(`${path}/${step}`, fields, { ...browser, Cookie: waiting.cookie, ...headers });
}

const filled = ({ csrf }: Waiting, changes: Record<string, string> = {}) => ({
  csrf,
  email,
  password,
  ...changes,
});
const encoded = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const withFields =
  (changes: Record<string, string>): Change =>
  (waiting) => ({ fields: filled(waiting, changes) });
const withHeaders =
  (headers: Record<string, string>): Change =>
  () => ({ headers });
/** Changes the first character of a cookie's value. */
const spoilt = (cookie: string, name: string) =>
  cookie.replace(new RegExp(`(${name}=)(.)`), (_, start, first) => `${start}${first === 'A' ? 'B' : 'A'}`);

const signInForms: [name: string, change: Change, expected: Expected][] = [
  ['a wrong password', withFields({ password: `${sentinel}-wrong` }), again],
  ['an empty password', withFields({ password: '' }), formAgain(400, /Enter your password/)],
  ['an empty address', withFields({ email: '' }), formAgain(400, /Enter your email address/)],
  ['a NUL in the address', withFields({ email: `${email}\0` }), again],
  ['a NUL in the password', withFields({ password: `${password}\0` }), again],
  ['odd Unicode', withFields({ email: '\u202e\u{1f600}@\u0301', password: `\ufffd${sentinel}` }), again],
  ['markup in the address', withFields({ email: '"><script>alert(1)</script>' }), again],
  ['an address of 300 characters', withFields({ email: `${'a'.repeat(300)}@example.com` }), again],
  [
    'a password of 2,000 characters',
    withFields({ password: sentinel.repeat(250) }),
    formAgain(400, /at most 256 characters/),
  ],
  [
    'a password of 50,000 characters',
    withFields({ password: sentinel.repeat(6_250) }),
    formAgain(400, /at most 256 characters/),
  ],
  [
    'a password of 1 MiB',
    withFields({ password: sentinel.repeat(128 * 1024) }),
    toPerson(413, 'payload_too_large', /at most 64 KiB/),
  ],
  ['no form token', () => ({ fields: { email, password } }), expired],
  ['an empty form token', withFields({ csrf: '' }), expired],
  ['a tampered form token', (w) => ({ fields: filled(w, { csrf: `${w.csrf.slice(0, -2)}AA` }) }), expired],
  ['a form token of 50,000 characters', withFields({ csrf: 'a'.repeat(50_000) }), expired],
  ['nothing in it', () => ({ fields: '' }), expired],
  ['invalid escapes', ({ csrf }) => ({ fields: `csrf=${csrf}&email=%zz&password=%` }), again],
  [
    'the names of properties',
    (w) => ({ fields: `__proto__=x&constructor=y&${encoded(filled(w, { password: 'x' }))}` }),
    again,
  ],
  [
    'a field twice',
    (w) => ({ fields: `${encoded(filled(w))}&email=other%40example.com` }),
    badForm(/more than once/),
  ],
  [
    'bytes that aren’t UTF-8',
    (w) => ({ fields: Buffer.concat([Buffer.from(`${encoded(filled(w))}&x=`), Buffer.from([0xff])]) }),
    badForm(/UTF-8/),
  ],
  ['JSON', withHeaders({ 'Content-Type': 'application/json' }), noForm],
  ['a file', withHeaders({ 'Content-Type': 'multipart/form-data; boundary=x' }), noForm],
  [
    'compression',
    withHeaders({ 'Content-Encoding': 'gzip' }),
    toPerson(415, 'unsupported_media_type', /compression/),
  ],
  [
    'Latin-1',
    withHeaders({ 'Content-Type': 'application/x-www-form-urlencoded; charset=iso-8859-1' }),
    toPerson(415, 'unsupported_media_type', /UTF-8/),
  ],
  ['no cookie', withHeaders({ Cookie: '' }), expired],
  [
    'a malformed cookie',
    withHeaders({ Cookie: 'gatehouse_interaction; =; ;;, gatehouse_interaction=%ff' }),
    expired,
  ],
  [
    'a tampered cookie',
    ({ cookie }) => ({ headers: { Cookie: spoilt(cookie, 'gatehouse_interaction') } }),
    expired,
  ],
  [
    'a tampered signature',
    ({ cookie }) => ({ headers: { Cookie: spoilt(cookie, 'gatehouse_interaction.sig') } }),
    expired,
  ],
  [
    'a cookie without its signature',
    ({ cookie }) => ({ headers: { Cookie: cookie.replace(/gatehouse_interaction\.sig=[^;]*/, '') } }),
    expired,
  ],
  ['the path of another sign-in', () => ({ path: '/interaction/another' }), expired],
  ['a path with a NUL', () => ({ path: '/interaction/%00' }), expired],
  ['a path that isn’t UTF-8', () => ({ path: '/interaction/%ff' }), expired],
];

const signUpForms: [name: string, change: Change, expected: Expected][] = [
  [
    'a short password',
    withFields({ email: 'n@example.com', password: 'short' }),
    formAgain(400, /at least 15 characters/),
  ],
  [
    'a password of 300 characters',
    withFields({ email: 'n@example.com', password: sentinel.padEnd(300, 'x') }),
    formAgain(400, /at most 256 characters/),
  ],
  [
    'a NUL in the password',
    withFields({ email: 'n@example.com', password: `${sentinel}\0-all-fine` }),
    formAgain(400, /can’t be typed again/),
  ],
  [
    'a password in another encoding',
    ({ csrf }) => ({ fields: `csrf=${csrf}&email=n%40example.com&password=${sentinel}-%e9%e8` }),
    formAgain(400, /can’t be typed again/),
  ],
  [
    'a password that is easy to guess',
    withFields({ email: 'n@example.com', password: 'passwordpassword' }),
    formAgain(400, /easy to guess/),
  ],
  [
    'a NUL in the address',
    withFields({ email: 'n\0@example.com', password: `${sentinel}-all-fine` }),
    formAgain(400, /email address like name@example\.com/),
  ],
  [
    'markup for an address',
    withFields({ email: '"><img src=x onerror=alert(1)>', password: `${sentinel}-all-fine` }),
    formAgain(400, /email address like name@example\.com/),
  ],
  [
    'a known address and another password',
    withFields({ password: `${sentinel}-another-one` }),
    formAgain(400, /./),
  ],
  [
    'a tampered form token',
    withFields({ email: 'n@example.com', password: `${sentinel}-all-fine`, csrf: 'x' }),
    expired,
  ],
  ['no cookie', withHeaders({ Cookie: '' }), expired],
];

const consentForms: [name: string, change: Change, expected: Expected][] = [
  ['no form token', () => ({ fields: { decision: 'allow' } }), expired],
  ['a tampered form token', () => ({ fields: { decision: 'allow', csrf: 'x' } }), expired],
  ['no cookie', ({ csrf }) => ({ fields: { decision: 'allow', csrf }, headers: { Cookie: '' } }), expired],
  [
    'both decisions',
    ({ csrf }) => ({ fields: `csrf=${csrf}&decision=allow&decision=deny` }),
    badForm(/more than once/),
  ],
  [
    'no decision, which counts as no',
    ({ csrf }) => ({ fields: { csrf } }),
    { to: 'sender', status: 303, says: /\/oauth2\/authorize\// },
  ],
  [
    'an unknown decision, which counts as no',
    ({ csrf }) => ({ fields: { csrf, decision: 'allow\0' } }),
    { to: 'sender', status: 303, says: /\/oauth2\/authorize\// },
  ],
];

/** Signs in on this page and follows the redirect, which completes the step. */
async function finish({ deployment: { fetch, issuer } }: World, waiting: Waiting): Promise<void> {
  const body = new URLSearchParams(filled(waiting));
  const headers = { cookie: waiting.cookie };
  const answer = await fetch(`${issuer}${waiting.path}/sign-in`, { method: 'POST', body, headers });
  const set = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
  const cookie = [waiting.cookie, ...set].join('; ');
  const next = await fetch(new URL(answer.headers.get('location') ?? '', issuer), { headers: { cookie } });
  if (!next.headers.get('location')?.startsWith('/interaction/')) throw new Error('the sign-in went wrong');
}

const outOfTurn: BadInput[] = [
  {
    name: 'consent before sign-in',
    send: async (world) => posting(await world.waiting(), 'consent', () => ({})),
    expected: expired,
  },
  {
    name: 'sign-in after sign-in',
    send: async (world) => posting(await world.consenting(), 'sign-in', () => ({})),
    expected: expired,
  },
  {
    name: 'sign-up after sign-in',
    send: async (world) => posting(await world.consenting(), 'sign-up', () => ({})),
    expected: expired,
  },
  {
    name: 'a completed sign-in',
    send: async (world) => {
      const waiting = await world.waiting();
      await finish(world, waiting);
      return posting(waiting, 'sign-in', () => ({}));
    },
    expected: expired,
  },
  {
    name: "one tab's sign-in with the other tab's cookie",
    send: async (world) => {
      const [one, other] = [await world.waiting(), await world.waiting()];
      return form(`${one.path}/sign-in`, filled(one), { ...browser, Cookie: other.cookie });
    },
    expected: expired,
  },
  {
    name: "one tab's form with the other tab's token",
    send: async (world) => {
      const [one, other] = [await world.waiting(), await world.waiting()];
      return form(`${one.path}/sign-in`, filled(other), { ...browser, Cookie: one.cookie });
    },
    expected: expired,
  },
  {
    name: 'a page of an unknown sign-in',
    send: page('/interaction/never-was', {
      Cookie: 'gatehouse_interaction=never-was; gatehouse_interaction.sig=x',
    }),
    expected: expired,
  },
];

const rows = (
  what: string,
  make: (change: Change) => BadInput['send'],
  forms: typeof signInForms,
): BadInput[] =>
  forms.map(([name, change, expected]) => ({ name: `${what} with ${name}`, send: make(change), expected }));

/** Forms of the pages with wrong content, and steps in the wrong order. */
export const pageForms: BadInput[] = [
  ...rows('a sign-in form', signIn, signInForms),
  ...rows('a sign-up form', signUp, signUpForms),
  ...rows('a consent form', consent, consentForms),
  ...outOfTurn,
];
