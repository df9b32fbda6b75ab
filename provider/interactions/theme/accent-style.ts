import { type AccentShades, accentForDark, accentShades } from '../../lib/accent.ts';

const root = ({ accent, accentStrong, onAccent }: AccentShades) =>
  `:root { --accent: ${accent}; --accent-strong: ${accentStrong}; --on-accent: ${onAccent}; }`;

/** The rules that put an accent in place of ours, for the end of the stylesheet. Colours as `#rrggbb`. */
export function accentStyle(light: string, dark: string = accentForDark(light)): string {
  const inTheDark = `@media (prefers-color-scheme: dark) { ${root(accentShades(dark, 'dark'))} }`;
  return `\n${root(accentShades(light, 'light'))}\n${inTheDark}\n`;
}
