/** The order matters, because most browsers also name Chrome or Safari in their `User-Agent`. */
const browsers: readonly [RegExp, string][] = [
  [/\b(?:Edg|EdgA|EdgiOS)\//, 'Edge'],
  [/\b(?:OPR|OPiOS|OPT)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bDuckDuckGo\//, 'DuckDuckGo'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\bCriOS\//, 'Chrome'],
  [/\b(?:Headless)?Chrome\//, 'Chrome'],
  [/\bVersion\/[\d.]+ (?:Mobile\/\w+ )?Safari\//, 'Safari'],
];

const systems: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows NT\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

const first = (table: readonly [RegExp, string][], userAgent: string) =>
  table.find(([pattern]) => pattern.test(userAgent))?.[1];

/**
 * Returns the common name of the browser that sends this `User-Agent`, and of its operating system. Returns undefined
 * when the header contains no known name.
 */
export function browserName(
  userAgent: string | undefined,
): { browser: string; system?: string | undefined } | undefined {
  // The `User-Agent` of every browser begins like this. Any other value comes from a program.
  if (!userAgent?.startsWith('Mozilla/5.0 ')) return undefined;
  const browser = first(browsers, userAgent);
  return browser === undefined ? undefined : { browser, system: first(systems, userAgent) };
}
