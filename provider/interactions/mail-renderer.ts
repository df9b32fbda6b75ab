import type { Eta } from 'eta/core';
import { type AccentShades, accentForDark, accentShades } from '../lib/accent.ts';
import type { MailContent } from '../lib/mail-content.ts';
import type { OutgoingMail } from '../ports/mail-sender.ts';
import type { LanguageTexts } from './theme/catalogues.ts';
import { lookUp } from './theme/language.ts';
import { linkTo } from './theme/links.ts';
import type { BrandOptions } from './theme/page-assets.ts';
import type { FrameOptions } from './theme/page-frame.ts';
import { createTexts } from './theme/texts.ts';

/** The accent that the stylesheet of the pages has without a setting. */
const defaultAccent = { light: '#1d5c48', dark: '#86cbb0' };

export interface MailRenderer {
  /**
   * Renders a mail as text and as HTML, in the offered language that fits best.
   *
   * @param kind the name of its template below `mail/`
   * @param issuer the start of all links. Links never come from a request
   * @throws Error when there is no such template, for example because a newer release wrote the mail
   */
  render(kind: string, content: MailContent, issuer: string): Omit<OutgoingMail, 'id'>;
}

/** The languages, with the default language first. */
export function createMailRenderer(
  eta: Eta,
  catalogues: readonly LanguageTexts[],
  options: BrandOptions & FrameOptions,
): MailRenderer {
  const { appName, footerText, supportUrl } = options;
  const light = options.accentColor ?? defaultAccent.light;
  const dark = options.accentColorDark ?? (options.accentColor ? accentForDark(light) : defaultAccent.dark);
  const accents: Record<'light' | 'dark', AccentShades> = {
    light: accentShades(light, 'light'),
    dark: accentShades(dark, 'dark'),
  };
  const offered = catalogues.map(({ language }) => language);
  return {
    render: (kind, { to, language: wanted, model }, issuer) => {
      if (!/^[a-z-]+$/.test(kind)) throw new Error(`there is no mail '${kind}'`);
      const language = lookUp(wanted === undefined ? [] : [wanted], offered) ?? offered[0];
      const { texts } = catalogues.find((each) => each.language === language) ?? { texts: {} };
      const { text, html } = createTexts(texts, eta.config.escapeFunction);
      const accountUrl = `${issuer}/account`;
      const frame = { appName, footerText, supportUrl, accents, language, accountUrl };
      const subject = text(`mail.${kind}.subject`, { app: appName });
      const tools = { text, html, link: linkTo, time: timeIn(language ?? 'en') };
      const data = { ...model, ...frame, ...tools, subject };
      return {
        to,
        subject: subject.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' '),
        text: `${eta
          .render(`@mail/${kind}.text`, data)
          .trim()
          .replace(/\n{3,}/g, '\n\n')}\n`,
        html: eta.render(`@mail/${kind}`, data),
      };
    },
  };
}

/** The mail is read at another time and perhaps in another place, so the time names its zone. */
export const timeIn = (language: string) => (at: number) =>
  `${new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC`;
