import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { MailFolder } from '../../../adapters/file/mail-folder.ts';
import { mailSenderContract, someMail } from '../../contract/mail-sender.ts';

mailSenderContract('MailFolder', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'gatehouse-mails-'));
  const folder = join(parent, 'mails');
  return {
    sender: new MailFolder({ folder, write: () => {} }),
    arrived: async (id) => {
      const text = await readFile(join(folder, `${id}.txt`), 'utf8');
      const {
        to = '',
        subject = '',
        body = '',
      } = /^To: (?<to>[^\n]*)\nSubject: (?<subject>[^\n]*)\n\n(?<body>.*)$/s.exec(text)?.groups ?? {};
      const html = (await readFile(join(folder, `${id}.html`), 'utf8')).trim();
      return { to: [to], subject, text: body.trim(), html };
    },
    goAway: async () => {
      await rm(folder, { recursive: true, force: true });
      await writeFile(folder, 'a file where the folder should be');
    },
    comeBack: () => rm(folder),
    close: () => rm(parent, { recursive: true, force: true }),
  };
});

test('the text is shown with its link, without control characters, and only the owner can read the files', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'gatehouse-mails-'));
  const shown: string[] = [];
  const sender = new MailFolder({ folder: join(parent, 'mails'), write: (text) => shown.push(text) });
  const mail = someMail({ text: 'Open https://login.example.com/x \u001b[31mred' });
  await sender.send(mail);
  expect(shown.join('')).toContain('Open https://login.example.com/x \uFFFD[31mred');
  expect(await sender.send({ ...mail, id: '../outside' })).toMatchObject({ outcome: 'failed' });
  expect(await readdir(parent)).toEqual(['mails']);
  await rm(parent, { recursive: true });
});
