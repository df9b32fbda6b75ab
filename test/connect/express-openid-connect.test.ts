import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { waitFor } from '../support/wait-for.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut, signOutAtGatehouse } from './support/sign-in.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

const name = 'express-openid-connect';
let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld(name, {
    packages: await installedWithNpm(name),
    env: { GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '127.0.0.0/8' },
  });
  await world.write('app.js', world.page.block('js'));
  await world.start({ program: process.execPath, args: ['app.js'], env: { SESSION_SECRET: 'x'.repeat(40) } });
}, 300_000);
afterAll(() => world?.stop());

test('express-openid-connect signs in, reads userinfo, refreshes, and signs out at both sides', async () => {
  const { app } = world.addresses;
  const page = await world.browser.context.newPage();
  await signIn(world, page, `${app}/login`);
  expect(await page.innerText('body')).toBe(`signed in as ${demo.email}`);

  const { request } = world.browser.context;
  const userinfo = async () => (await request.get(`${app}/me`)).json();
  expect(await userinfo()).toMatchObject({ email: demo.email });
  for (let turn = 0; turn < 2; turn += 1)
    expect(await (await request.post(`${app}/refresh`)).json()).toEqual({ expires_in: expect.any(Number) });
  expect(await userinfo()).toMatchObject({ email: demo.email });
  expect(await refreshesSeen(world)).toEqual({ used: 2, again: 0 });

  await signOut(world, page, `${app}/logout`);
  expect(await page.innerText('body')).toBe('signed out');
  expect(await isSignedInAtGatehouse(world)).toBe(false);
});

test('express-openid-connect ends its session when the person signs out at Gatehouse', async () => {
  const { app } = world.addresses;
  const page = await world.browser.context.newPage();
  await signIn(world, page, `${app}/login`);
  expect(await page.innerText('body')).toBe(`signed in as ${demo.email}`);
  await signOutAtGatehouse(world);
  await waitFor(async () => {
    await page.goto(app);
    return (await page.innerText('body')) === 'signed out';
  });
});
