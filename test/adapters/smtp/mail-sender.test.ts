import { afterEach, expect, test } from '@jest/globals';
import { SmtpMailSender } from '../../../adapters/smtp/mail-sender.ts';
import type { SmtpServer } from '../../../provider/lib/mail-transport.ts';
import { mailSenderContract, someMail } from '../../contract/mail-sender.ts';
import { testCertificate } from '../../support/certificate.ts';
import { type MailServer, type MailServerOptions, startMailServer } from '../../support/mail-server.ts';

const from = { name: 'Example, “Login”', address: 'login@example.com' };
const certificate = testCertificate();
const at = (port: number, tls: SmtpServer['tls'] = 'none'): SmtpServer => ({
  kind: 'smtp',
  host: 'localhost',
  port,
  tls,
});

mailSenderContract('SmtpMailSender', async () => {
  const server = await startMailServer();
  return {
    sender: new SmtpMailSender({ server: at(server.port), from, answerMs: 2000 }),
    arrived: async (id) => {
      const mail = server.received.find(({ raw }) => raw.includes(`Message-ID: <${id}@example.com>`));
      if (mail === undefined) throw new Error(`${id} has not arrived`);
      const [subject = ''] = mail.header('Subject');
      return { to: mail.to, subject, text: mail.part('text/plain'), html: mail.part('text/html') };
    },
    refuse: async (address, outcome) =>
      server.refuse(address, { at: 'recipient', code: outcome === 'failed' ? 451 : 550 }),
    goAway: server.goAway,
    comeBack: server.comeBack,
    close: server.close,
  };
});

const servers: MailServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
const start = async (options: MailServerOptions = {}) => {
  const server = await startMailServer(options);
  servers.push(server);
  return server;
};
const ca = certificate.cert;

test('a mail has one sender, one recipient, one id and no field that a person typed', async () => {
  const server = await start();
  const mail = someMail();
  await new SmtpMailSender({ server: at(server.port), from }).send(mail);
  const [got] = server.received;
  expect(got?.from).toBe('login@example.com');
  expect(got?.header('From')).toEqual(['Example, “Login” <login@example.com>']);
  expect(got?.raw).toMatch(/^From: "?=\?UTF-8\?/m);
  expect(got?.header('To')).toEqual([mail.to]);
  expect(got?.header('Message-ID')).toEqual([`<${mail.id}@example.com>`]);
  expect(got?.header('Auto-Submitted')).toEqual(['auto-generated']);
  for (const name of ['Cc', 'Bcc', 'Reply-To']) expect(got?.header(name)).toEqual([]);
});

test('a subject with a line break adds no field', async () => {
  const server = await start();
  const sender = new SmtpMailSender({ server: at(server.port), from });
  await sender.send(someMail({ subject: 'Hello\r\nBcc: b@example.com' }));
  expect(server.received).toHaveLength(1);
  expect(server.received[0]?.header('Bcc')).toEqual([]);
});

test.each(['upgrade', 'first'] as const)('TLS (%s) is used, with a login', async (tls) => {
  const login = { user: 'gatehouse', password: 'right-password' };
  const server = await start({ tls: { certificate, first: tls === 'first' }, login });
  const credential = async () => login;
  const sender = new SmtpMailSender({ server: at(server.port, tls), from, ca, credential });
  expect(await sender.send(someMail())).toEqual({ outcome: 'sent', answer: expect.stringContaining('250') });
  expect(server.received).toMatchObject([{ secure: true, user: 'gatehouse' }]);
});

test('a server without STARTTLS or with a wrong certificate gets no mail and no password', async () => {
  const login = { user: 'gatehouse', password: 'right-password' };
  const credential = async () => login;
  const plain = await start({ login });
  const refused = new SmtpMailSender({ server: at(plain.port, 'upgrade'), from, credential });
  expect(await refused.send(someMail())).toMatchObject({
    outcome: 'failed',
    advice: expect.stringContaining('STARTTLS'),
  });
  for (const first of [true, false]) {
    const server = await start({ tls: { certificate, first }, login });
    const tls = first ? 'first' : 'upgrade';
    const sender = new SmtpMailSender({ server: at(server.port, tls), from, credential });
    expect(await sender.send(someMail())).toMatchObject({
      outcome: 'failed',
      advice: expect.stringContaining('certificate'),
    });
    expect(server.received).toEqual([]);
  }
  expect(plain.received).toEqual([]);
});

test('a wrong login and a refused sender are tried again, with advice and without the password', async () => {
  const server = await start({
    tls: { certificate },
    login: { user: 'gatehouse', password: 'right-password' },
  });
  const credential = async () => ({ user: 'gatehouse', password: 'hunter2hunter2' });
  const options = { server: at(server.port, 'upgrade'), from, ca };
  const result = await new SmtpMailSender({ ...options, credential }).send(someMail());
  expect(result).toMatchObject({ outcome: 'failed', advice: expect.stringContaining('GATEHOUSE_SMTP_USER') });
  expect(JSON.stringify(result)).not.toContain('hunter2hunter2');
  const open = await start();
  open.refuse(from.address, { at: 'sender', code: 553 });
  expect(await new SmtpMailSender({ server: at(open.port), from }).send(someMail())).toMatchObject({
    outcome: 'failed',
    advice: expect.stringContaining('GATEHOUSE_MAIL_FROM'),
  });
});

test('content that the server refuses is not tried again', async () => {
  const server = await start();
  const mail = someMail();
  server.refuse(mail.to, { at: 'content', code: 554 });
  expect(await new SmtpMailSender({ server: at(server.port), from }).send(mail)).toMatchObject({
    outcome: 'rejected',
  });
});

test('a server that answers too late gives a failure in time', async () => {
  const server = await start();
  server.beforeAnswer(() => new Promise(() => {}));
  const sender = new SmtpMailSender({ server: at(server.port), from, sendMs: 500 });
  expect(await sender.send(someMail())).toMatchObject({ outcome: 'failed' });
});
