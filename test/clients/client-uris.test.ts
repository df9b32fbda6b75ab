import { expect, test } from '@jest/globals';
import { problemsOf, publicClient, webClient } from './client-documents.ts';

const redirecting = (redirectUri: string) => webClient({ redirectUris: [redirectUri] });
const native = (redirectUri: string) =>
  publicClient({ applicationType: 'native', redirectUris: [redirectUri] });

const good: [what: string, document: unknown][] = [
  ['a client on localhost', redirecting('http://localhost:8080/callback')],
  ['a client on 127.0.0.1', redirecting('http://127.0.0.1/callback?x=1')],
  ['a client on [::1]', redirecting('http://[::1]:3000/')],
  ['an app with a private-use scheme', native('com.example.app:/callback')],
  ['an app with a private-use scheme and a host', native('com.example.app://callback')],
  ['an app on a loopback port', native('http://127.0.0.1/callback')],
  ['an app that claims a web address', native('https://app.example.com/callback')],
];

test.each(good)('accepts %s', (_, document) => {
  expect(problemsOf(document)).toEqual([]);
});

const bad: [what: string, document: unknown, problem: string | RegExp][] = [
  [
    'origins of a confidential client',
    webClient({ origins: ['https://a.example'] }),
    /^\/origins: is for public clients/,
  ],
  [
    'an origin with a path',
    publicClient({ origins: ['https://a.example/'] }),
    '/origins/0: must be an origin exactly as a browser sends it: https://a.example',
  ],
  [
    'an origin with a default port',
    publicClient({ origins: ['https://a.example:443'] }),
    /exactly as a browser sends it: https:\/\/a\.example$/,
  ],
  [
    'an origin with a wildcard',
    publicClient({ origins: ['https://*.example'] }),
    /^\/origins\/0: must not contain a wildcard/,
  ],
  ['a wildcard as origin', publicClient({ origins: ['*'] }), /^\/origins\/0: must not contain a wildcard/],
  ['the null origin', publicClient({ origins: ['null'] }), /^\/origins\/0: must be an absolute URL/],
  [
    'an insecure origin',
    publicClient({ origins: ['http://a.example'] }),
    /^\/origins\/0: must start with https/,
  ],
  [
    'an origin in Unicode',
    publicClient({ origins: ['https://bücher.example'] }),
    '/origins/0: must be an origin exactly as a browser sends it: https://xn--bcher-kva.example',
  ],
  [
    'an origin with an upper-case host',
    publicClient({ origins: ['https://A.example'] }),
    '/origins/0: must be an origin exactly as a browser sends it: https://a.example',
  ],
  [
    'a redirect URI in Unicode',
    redirecting('https://bücher.example/cb'),
    '/redirectUris/0: must be written in ASCII, as browsers send it: https://xn--bcher-kva.example/cb',
  ],
  ['a relative redirect URI', redirecting('/callback'), /^\/redirectUris\/0: must be an absolute URI/],
  ['a redirect URI with a fragment', redirecting('https://a.example/#'), /must not contain a fragment/],
  ['a redirect URI with a wildcard', redirecting('https://a.example/*'), /must not contain a wildcard/],
  ['a redirect URI with a password', redirecting('https://a:b@a.example/'), /must not contain a user name/],
  ['a redirect URI with a space', redirecting('https://a.example/ b'), /must be an absolute URI/],
  ['a redirect URI with a tab', redirecting('https://a.exam\tple/'), /must be an absolute URI/],
  ['a redirect URI with a backslash', redirecting('https:\\\\a.example/'), /must be an absolute URI/],
  ['a redirect URI without slashes', redirecting('https:a.example/'), /must be an absolute URI/],
  ['a redirect URI with three slashes', redirecting('https:///a.example/'), /must be an absolute URI/],
  ['an insecure redirect URI', redirecting('http://a.example/'), /^\/redirectUris\/0: must use https/],
  ['a host that begins with localhost', redirecting('http://localhost.a.example/'), /must use https/],
  ['a private-use scheme of a web client', redirecting('com.example.app:/'), /applicationType: native/],
  ['a private-use scheme without a dot', native('myapp:/callback'), /a scheme made of a domain name/],
  ['a javascript: redirect URI', native('javascript:alert(1)'), /a scheme made of a domain name/],
  [
    'an app with https on a loopback host',
    native('https://localhost/callback'),
    /must use http:\/\/ on this machine/,
  ],
  ['an app with http on another host', native('http://a.example/'), /must use https/],
  [
    'an invalid post-logout redirect URI',
    webClient({ postLogoutRedirectUris: ['https://a.example/', 'http://a.example/'] }),
    /^\/postLogoutRedirectUris\/1: must use https/,
  ],
  ['an insecure logo', webClient({ logoUri: 'http://a.example/l.png' }), /^\/logoUri: must start with https/],
  [
    'a javascript: clientUri',
    webClient({ clientUri: 'javascript:alert(1)' }),
    /^\/clientUri: must start with https/,
  ],
];

test.each(bad)('refuses %s, with exactly one problem', (_, document, problem) => {
  const problems = problemsOf(document);
  expect(problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
});
