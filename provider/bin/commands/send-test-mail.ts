import { emailAddress } from '../../accounts/email.ts';
import { openMailSender, openSecrets } from '../../compose/connections.ts';
import { openPages } from '../../compose/open-pages.ts';
import { loadConfig } from '../../config/load.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { silentLogger } from './silent-logger.ts';

export interface TestMailOptions {
  to: string;
  language?: string | undefined;
}

/**
 * `gatehouse mail test`. Throws a CommandFailure with the error of the server and advice when it does not take the mail,
 * and a ConfigurationError when mail is off or settings are wrong.
 */
export async function sendTestMail({ to, language }: TestMailOptions, output: Output): Promise<void> {
  const address = emailAddress.safeParse(to);
  if (!address.success) {
    const message = address.error.issues.map((issue) => issue.message).join(' ');
    throw new CommandFailure('usage', message, { code: 'usage' });
  }
  const config = loadConfig();
  const logger = silentLogger();
  const sender = openMailSender(config, openSecrets({ logger, clock }));
  if (sender === undefined) {
    const message =
      'Mail is off: GATEHOUSE_MAIL is not set, or is off. Set it, for example to ses or smtps://smtp.example.com.';
    throw new CommandFailure('configuration', message, { code: 'configuration' });
  }
  const content = { to: address.data, language, model: { at: clock.now() } };
  const mail = { id: newId('mail'), ...openPages(config).mails.render('test', content, config.issuer) };
  const result = await sender.send(mail);
  if (result.outcome === 'sent') {
    const { answer } = result;
    output.result({ sent: true, to: mail.to, id: mail.id, answer }, `Sent to ${mail.to}: ${answer}`);
    return;
  }
  const { reason, advice } = result;
  const message = `The mail was not sent: ${reason}.${advice === undefined ? '' : ` ${advice}`}`;
  throw new CommandFailure('problems', message.replace(/\.\.(?= |$)/, '.'), { code: 'mail_not_sent' });
}
