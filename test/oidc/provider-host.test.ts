import '../../provider/oidc/runtime-notice.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import type { Provider } from 'oidc-provider';
import { createProviderHost } from '../../provider/oidc/provider-factory.ts';

/** A Provider that responds with the name of its keys when it is released. `key-swap.test.ts` tests a real Provider. */
function createProviders() {
  const built: string[] = [];
  const waiting: (() => void)[] = [];
  const build = (jwks: { keys: { kid?: string }[] }) => {
    const name = jwks.keys[0]?.kid ?? '';
    if (name === 'bad') throw new Error('these keys are no good');
    built.push(name);
    const callback = () => async (_request: IncomingMessage, response: ServerResponse) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      response.end(name);
    };
    return { name, callback, middleware: [] } as unknown as Provider;
  };
  return { build, built, answerAll: () => waiting.splice(0).forEach((answer) => void answer()) };
}

const keys = (kid: string) => ({ keys: [{ kty: 'RSA', kid }] }) as never;
const nameOf = (provider: Provider) => (provider as unknown as { name: string }).name;

function request(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  let answered = '';
  const response = {
    end: (text: string) => {
      answered = text;
    },
  };
  return handle({} as IncomingMessage, response as unknown as ServerResponse).then(() => answered);
}

test('requests in progress end on their Provider, and new requests use the new Provider', async () => {
  const { build, built, answerAll } = createProviders();
  const host = createProviderHost(build as never, keys('one'));
  const first = request(host.handle);
  host.swap(keys('two'));
  const second = request(host.handle);
  answerAll();
  expect(await Promise.all([first, second])).toEqual(['one', 'two']);
  expect(nameOf(host.current())).toBe('two');
  expect(built).toEqual(['one', 'two']);
});

test('the current Provider stays if no Provider can be built from the new keys', async () => {
  const { build, answerAll } = createProviders();
  const host = createProviderHost(build as never, keys('one'));
  expect(() => host.swap(keys('bad'))).toThrow('no good');
  const answer = request(host.handle);
  answerAll();
  expect(await answer).toBe('one');
});
