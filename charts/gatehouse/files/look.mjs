// What `helm test` runs inside the cluster: it asks the Service as apps and browsers do, and signs in when it has an account.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { ISSUER, SERVICE, CLIENT_ID, REDIRECT_URI } = process.env;
const origin = new URL(ISSUER).origin;
const say = (text) => process.stdout.write(`${text}\n`);
const account = (key) => readFileSync(`/account/${key}`, 'utf8').trim();

/** Sends a request for one of the issuer's URLs to the Service, as the load balancer does. */
function ask(url, options = {}) {
  const inside = url.startsWith(origin) ? SERVICE + url.slice(origin.length) : url;
  return fetch(inside, { redirect: 'manual', signal: AbortSignal.timeout(30_000), ...options });
}

function expect(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

async function json(what, response, status = 200) {
  const text = await response.text();
  expect(response.status === status, `${what} answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

async function discover() {
  const document = await json('discovery', await ask(`${ISSUER}/.well-known/openid-configuration`));
  expect(document.issuer === ISSUER, `the issuer is ${document.issuer}, not ${ISSUER}`);
  const { keys } = await json('the key set', await ask(document.jwks_uri));
  expect(keys.length > 0, 'the key set is empty');
  return { document, keys };
}

/** Checks the signature and the issuer of a JWT, and returns its claims. */
function claimsOf(token, keys) {
  const [header, payload, signature] = token.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
  const jwk = keys.find((key) => key.kid === kid);
  expect(jwk, `the key set lacks the key ${kid}`);
  const signed = Buffer.from(`${header}.${payload}`);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url')), 'the signature is wrong');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  expect(claims.iss === ISSUER, `iss is ${claims.iss}`);
  return claims;
}

async function signInByPassword(keys) {
  const body = JSON.stringify({
    clientId: CLIENT_ID,
    email: account('email'),
    password: account('password'),
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await json(
    '/auth/login',
    await ask(`${ISSUER}/auth/login`, { method: 'POST', headers, body }),
  );
  return claimsOf(answer.accessToken, keys).sub;
}

const cookies = new Map();

/** Follows redirects with cookies until a page, or an address outside of the issuer. */
async function browse(url, options = {}) {
  for (let hops = 0; hops < 20; hops += 1) {
    if (!url.startsWith(`${origin}/`)) return { url };
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...options.headers };
    const response = await ask(url, { ...options, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) return { url, status: response.status, html: await response.text() };
    url = new URL(location, url).href;
    options = {};
  }
  throw new Error(`too many redirects, at ${url}`);
}

const plain = (text) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

async function signInOnThePage({ document, keys }) {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const request = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const page = await browse(`${document.authorization_endpoint}?${request}`);
  const form = /<form[^>]*action="(?<action>[^"]*)"[\s\S]*?<\/form>/.exec(page.html ?? '');
  expect(form, `no sign-in page at ${page.url} (${page.status})`);
  const hidden = [...form[0].matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
    /name="([^"]*)"/.exec(input)?.[1] ?? '',
    plain(/value="([^"]*)"/.exec(input)?.[1] ?? ''),
  ]);
  const fields = { ...Object.fromEntries(hidden), email: account('email'), password: account('password') };
  const action = new URL(plain(form.groups.action), page.url).href;
  const end = await browse(action, { method: 'POST', body: new URLSearchParams(fields) });
  const answer = new URL(end.url).searchParams;
  expect(end.url.startsWith(REDIRECT_URI), `the sign-in ended at ${end.url} (${end.status})`);
  expect(answer.get('state') === state, 'the state is another one');
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    client_id: CLIENT_ID,
    code_verifier: verifier,
  });
  const tokens = await json(
    'the token endpoint',
    await ask(document.token_endpoint, { method: 'POST', body }),
  );
  return claimsOf(tokens.id_token, keys).sub;
}

const found = await discover();
say(`ok: discovery and ${found.keys.length} keys of ${ISSUER}`);
if (CLIENT_ID) {
  const byPassword = await signInByPassword(found.keys);
  say(`ok: password sign-in as ${byPassword}`);
  const onThePage = await signInOnThePage(found);
  expect(onThePage === byPassword, `the page signed in ${onThePage}`);
  say(`ok: code flow as ${onThePage}`);
} else {
  say('No account in tests.signIn: the sign-in was left out.');
}
