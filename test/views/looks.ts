import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPages, type Pages } from '../../provider/interactions/pages.ts';
import { writeFiles } from './own-folder.ts';

const wordmark = (color: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 40"><circle cx="20" cy="20" r="16" fill="${color}"/><g fill="none" stroke="${color}" stroke-width="5" stroke-linecap="round"><path d="M50 28l8-18 8 18M53 22h10M92 14a8 8 0 1 0 0 12M104 10v18M104 20h14M118 10v18"/></g></svg>`;

/** Some Arabic texts, so that pages are written from right to left. Other texts are English. */
const arabic = {
  'page.dir': 'rtl',
  'footer.links': 'حول {app}',
  'footer.support': 'مساعدة',
  'footer.privacy': 'الخصوصية',
  'footer.terms': 'الشروط',
  'field.email': 'البريد الإلكتروني',
  'field.password': 'كلمة المرور',
  'sign-in.title': 'تسجيل الدخول',
  'sign-in.purpose': 'للمتابعة إلى {client}',
  'sign-in.remember': 'البقاء مسجلاً على هذا الجهاز',
  'sign-in.submit': 'تسجيل الدخول',
  'sign-in.no-account': 'ليس لديك حساب؟',
  'sign-in.sign-up': 'إنشاء حساب',
  'consent.title': 'هل تسمح لـ {client} باستخدام حسابك؟',
  'consent.account': 'تم تسجيل الدخول باسم {email}',
  'consent.scopes': 'سيتمكن {client} من:',
  'consent.allow': 'السماح',
  'consent.deny': 'الرفض',
  'scope.openid': 'التعرف عليك عند تسجيل الدخول',
  'scope.email': 'رؤية عنوان بريدك الإلكتروني',
};

const footer = {
  footerText: 'Example Ltd, 1 High Street, Exampleton',
  privacyUrl: 'https://example.com/privacy',
  termsUrl: 'https://example.com/terms',
  supportUrl: 'mailto:help@example.com',
};

/** The same pages with different brands, languages and templates. */
export function createLooks(): { looks: Record<string, Pages>; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-views-'));
  writeFiles(folder, {
    'logo.svg': wordmark('#7a1f5c'),
    'logo-dark.svg': wordmark('#e39bc8'),
    'views/text/ar.json': JSON.stringify(arabic),
  });
  const brand = {
    appName: 'Acme',
    ...footer,
    logoFile: join(folder, 'logo.svg'),
    logoDarkFile: join(folder, 'logo-dark.svg'),
    accentColor: '#7a1f5c',
  };
  const looks = {
    german: createPages({ appName: 'Gatehouse', languages: ['de'] }),
    branded: createPages(brand),
    arabic: createPages({
      appName: 'Acme',
      ...footer,
      languages: ['ar'],
      viewsFolder: join(folder, 'views'),
    }),
  };
  return { looks, remove: () => rmSync(folder, { recursive: true }) };
}
