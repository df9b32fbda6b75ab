import { expect } from '@jest/globals';
import type { RawAnswer } from '../../support/raw-http.ts';
import { type Expected, sentinel } from './row.ts';
import { callback } from './world.ts';

/** Internals that no answer may contain. */
export const inside =
  /\n\s+at |node_modules|\/provider\/|\.[jt]s:\d|file:\/\/|\b(select|insert into|update|delete from) \w+ |SQLSTATE|ECONNRE|EPIPE:|ioredis|[Kk]nex[ .:]|PGlite|oidc-provider|(Type|Range|Syntax|Reference|Zod)Error/;

const withoutTags = (html: string) =>
  html
    .replace(/<(style|head)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ');

/**
 * Checks what all answers to bad input have in common.
 * @param sent the request's bytes
 */
export function checkAnswer(answer: RawAnswer, expected: Expected, sent: Buffer): void {
  if (expected.to === 'none') {
    expect(answer.status).toBe(0);
    return;
  }
  expect(answer.body).not.toMatch(inside);
  expect(answer.body).not.toContain(sentinel);
  expect(answer.headers['x-content-type-options']).toEqual(['nosniff']);
  expect(answer.headers['content-security-policy']?.join()).toMatch(/(^|; ?)frame-ancestors 'none'(;|$)/);
  if (expected.to !== 'unparsed') expect(requestId(answer)).toMatch(/^[\w-]{16}$/);
  if (expected.to !== 'sender') {
    if (expected.to !== 'app') expect(answer.headers['cache-control']).toEqual(['no-store']);
    expect(answer.body).not.toMatch(/"(access|refresh|id)_?token":|[?&]code=/i);
    // The answer keeps the session of the request, and starts no other.
    for (const line of answer.headers['set-cookie'] ?? [])
      expect(sent.toString('latin1')).toContain(
        /^gatehouse_session=(?<value>[^;]+)/.exec(line)?.groups?.value ?? '',
      );
  }
  checks[expected.to](answer, expected as never);
}

const requestId = ({ headers }: RawAnswer) => headers['x-request-id']?.join() ?? '';
const typeOf = ({ headers }: RawAnswer) => headers['content-type']?.join().split(';')[0];
const parsed = ({ body }: RawAnswer) => JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>;
const outcome = (answer: RawAnswer, code: string) => [answer.status, typeOf(answer), code];

type Check<To extends Expected['to']> = (answer: RawAnswer, expected: Extract<Expected, { to: To }>) => void;
const checks: { [To in Expected['to']]: Check<To> } = {
  program: (answer, { status, code, says, pointers }) => {
    expect(outcome(answer, '')).toEqual([status, 'application/problem+json', '']);
    if (status === 405) expect(answer.headers.allow?.join()).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
    // An answer to HEAD has no body.
    if (answer.body === '') return;
    const { detail, errors, ...problem } = parsed(answer);
    expect(problem).toEqual({
      type: `urn:gatehouse:problem:${code}`,
      title: code.replaceAll('_', ' '),
      status,
      code,
      requestId: requestId(answer),
    });
    expect(detail).toMatch(says);
    if (pointers === undefined) return;
    const fields = errors as { pointer: string; message: string }[];
    expect(fields.map(({ pointer }) => pointer)).toEqual(pointers);
    for (const { message } of fields) expect(message.length).toBeGreaterThan(5);
  },
  unparsed: (answer, { status, code, says }) => {
    expect(outcome(answer, '')).toEqual([status, 'application/problem+json', '']);
    expect(parsed(answer)).toMatchObject({ status, code, detail: expect.stringMatching(says) });
    expect(answer.headers.connection).toEqual(['close']);
  },
  client: (answer, { status, code, says }) => {
    if (status === 405) expect(answer.headers.allow?.join()).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
    const { error = code, error_description: description = '' } = parsed(answer);
    expect(outcome(answer, String(error))).toEqual([status, 'application/json', code]);
    if (answer.body !== '') expect(description).toMatch(says);
    expect(answer.headers['access-control-allow-origin']).toEqual(['*']);
    // RFC 6749 §5.2
    expect(description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
  },
  person: (answer, { status, code, says }) => {
    const shown = /<code>(?<code>\w+)<\/code>/.exec(answer.body)?.groups?.code ?? withoutTags(answer.body);
    expect(outcome(answer, shown)).toEqual([status, 'text/html', code]);
    expect(withoutTags(answer.body)).toMatch(says);
    expect(answer.body).toContain(requestId(answer));
    expect(answer.body).not.toMatch(/<script|(href|action|src|content)="[^"]*(example\.com|evil)/);
  },
  form: (answer, { status, says }) => {
    expect(outcome(answer, '')).toEqual([status, 'text/html', '']);
    expect(withoutTags(answer.body)).toMatch(says);
    expect(answer.body).toMatch(/<form[^>]*method="post"/);
    // Our own script is the only one.
    expect(answer.body.replace(/<script src="[^"<>]*\/assets\/gatehouse\.js\?v=\w+" defer>/, '')).not.toMatch(
      /<script|<img src=x/,
    );
  },
  app: (answer, { code, says }) => {
    const [location = ''] = answer.headers.location ?? [];
    const returned = new URLSearchParams(location.slice(callback.length + 1));
    expect([answer.status, location.split(/[?#]/)[0], returned.get('error')]).toEqual([303, callback, code]);
    expect(returned.get('error_description') ?? '').toMatch(says);
    expect(returned.has('iss')).toBe(true);
    expect(returned.get('state') ?? 'a-state').toBe('a-state');
  },
  sender: (answer, { status, says }) => {
    expect([answer.status, answer.body]).toEqual([status, expect.anything()]);
    expect(`${answer.headers.location ?? ''}${answer.body}`).toMatch(says);
  },
  none: () => {},
};
