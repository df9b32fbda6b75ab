import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { personWithFactor } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { rowsOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

let deployment: InProcess;
beforeAll(async () => {
  const clients = [
    appDocument('web', { name: 'Contracts Web', firstParty: true }),
    appDocument('api', {
      auth: 'none',
      firstParty: true,
      grants: ['password', 'refresh_token'],
      redirectUris: [],
    }),
  ];
  deployment = await startInProcess(clients, { GATEHOUSE_SIGNUP: 'true' });
}, 120_000);
afterAll(() => deployment?.stop());

const open = (agent = createUserAgent(deployment)) => agent.get(`${deployment.issuer}/account`);
const recent = (page: Page) => rowsOf(page, 'recent');

test('the page lists the last sign-ins with time, app, method and address, the newest first', async () => {
  const person = await newPerson(deployment);
  const agent = createUserAgent(deployment);
  await openAccount(deployment, agent, person);
  await createApp(deployment, 'web').signIn(createUserAgent(deployment), {}, person);
  expect((await callJsonApi(deployment, '/auth/login', { ...person, clientId: 'api' })).status).toBe(200);
  // Neither a wrong password nor single sign-on is a sign-in.
  await callJsonApi(deployment, '/auth/login', { ...person, password: 'a guess', clientId: 'api' });
  await createApp(deployment, 'web').signIn(agent, {}, person);
  const rows = recent(await open(agent));
  expect(rows.map((row) => row.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC /, ''))).toEqual([
    'api : password From 127.0.0.1',
    'Contracts Web : password From 127.0.0.1',
    'Gatehouse : password From 127.0.0.1',
  ]);
});

test('a sign-in with a second factor is listed once, with both factors', async () => {
  const { person, app } = await personWithFactor(deployment);
  deployment.advance(60);
  const agent = createUserAgent(deployment);
  const page = await agent.submit(await openAccount(deployment, agent, person), { code: app.code() });
  expect(recent(page).map((row) => /: (.*) From/.exec(row)?.[1])).toEqual([
    'password and second factor',
    'password',
  ]);
});

test('the list has the sign-ins of its account only, the last 20 of 90 days', async () => {
  const person = await newPerson(deployment);
  const login = () => callJsonApi(deployment, '/auth/login', { ...person, clientId: 'api' });
  for (let times = 0; times < 23; times += 1) await login();
  const agent = createUserAgent(deployment);
  expect(recent(await openAccount(deployment, agent, person))).toHaveLength(20);
  deployment.advance(90 * 86_400);
  const later = createUserAgent(deployment);
  expect(recent(await openAccount(deployment, later, person))).toHaveLength(1);
});
