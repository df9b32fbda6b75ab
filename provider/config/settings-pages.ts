import { z } from 'zod';
import { accentProblem, isColor, type Scheme } from '../lib/accent.ts';
import { languages } from './languages.ts';
import type { SettingTable } from './setting.ts';
import { link } from './uris.ts';
import { matching, path } from './values.ts';

const line = (longest: number) =>
  matching(
    `1 to ${longest} characters on one line`,
    new RegExp(`^[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,${longest}}$`, 'u'),
  );

function accent(scheme: Scheme) {
  const allowed = 'a colour like #1d5c48';
  return z
    .string()
    .superRefine((text, context) => {
      const message = isColor(text) ? accentProblem(text, scheme) : `must be ${allowed}`;
      if (message) context.addIssue({ code: 'custom', message });
    })
    .describe(`${allowed}, readable on the ${scheme} card`);
}

/** The appearance and the languages of the pages. `docs/pages.md` shows them all. */
export const pageSettings = {
  appName: {
    name: 'GATEHOUSE_APP_NAME',
    description: 'The name of this service on the sign-in pages.',
    schema: line(60),
    default: 'Gatehouse',
  },
  languages: {
    name: 'GATEHOUSE_LANGUAGES',
    description:
      "The languages of the pages. A person gets the one the app asked for (`ui_locales`), else the browser's (`Accept-Language`), else the first. English and German come along; others need a catalogue in the views folder.",
    schema: languages(),
    default: 'en de',
  },
  logoFile: {
    name: 'GATEHOUSE_LOGO_FILE',
    description:
      'A picture at the head of every page, instead of the Gatehouse mark and the name: SVG, PNG or WebP, at most 100 KiB. Gatehouse serves it, so no third party learns who signs in.',
    schema: path(),
    example: '/etc/gatehouse/logo.svg',
  },
  logoDarkFile: {
    name: 'GATEHOUSE_LOGO_DARK_FILE',
    description: 'The same for browsers in dark mode, where the logo would be hard to see.',
    schema: path(),
    example: '/etc/gatehouse/logo-dark.svg',
  },
  iconFile: {
    name: 'GATEHOUSE_ICON_FILE',
    description: "A square picture for the browser's tab, of the same kinds.",
    schema: path(),
    example: '/etc/gatehouse/icon.svg',
  },
  accentColor: {
    name: 'GATEHOUSE_ACCENT_COLOR',
    description:
      'The colour of links and of the main button. Text on the button gets black or white, whichever is readable.',
    schema: accent('light'),
    example: '#7a1f5c',
  },
  accentColorDark: {
    name: 'GATEHOUSE_ACCENT_COLOR_DARK',
    description: 'The same for browsers in dark mode. Unset, a lighter shade of the other is used.',
    schema: accent('dark'),
    example: '#e39bc8',
  },
  privacyUrl: {
    name: 'GATEHOUSE_PRIVACY_URL',
    description: 'Your privacy policy, linked at the foot of every page.',
    schema: link(),
    example: 'https://example.com/privacy',
  },
  termsUrl: {
    name: 'GATEHOUSE_TERMS_URL',
    description: 'Your terms of service, linked at the foot of every page.',
    schema: link(),
    example: 'https://example.com/terms',
  },
  supportUrl: {
    name: 'GATEHOUSE_SUPPORT_URL',
    description: 'Where people get help, linked at the foot of every page.',
    schema: link('mailto:help@example.com'),
    example: 'https://example.com/help',
  },
  footerText: {
    name: 'GATEHOUSE_FOOTER_TEXT',
    description: 'A line at the foot of every page, for example the name of the operator.',
    schema: line(200),
    example: 'Example Ltd, 1 High Street, Exampleton',
  },
  viewsFolder: {
    name: 'GATEHOUSE_VIEWS_FOLDER',
    description:
      'A folder laid out like `views/`: templates, texts and styles in it replace the built-in ones, file by file. Templates are code and run with the rights of Gatehouse.',
    schema: path(),
    example: '/etc/gatehouse/views',
  },
} satisfies SettingTable;
