type Rgb = readonly [red: number, green: number, blue: number];

/** The background colours of links: `--card` in the stylesheet of the pages. */
export const cards = { light: '#ffffff', dark: '#1b1e1c' } as const;

export type Scheme = keyof typeof cards;

/** The minimum contrast between text and its background (WCAG 2.2 §1.4.3, level AA). */
const leastContrast = 4.5;

/** An accent colour and the shades derived from it, each as `#rrggbb`. */
export interface AccentShades {
  accent: string;
  /** The colour while the pointer is over the element. */
  accentStrong: string;
  /** Text on the accent. */
  onAccent: string;
}

/** Whether a text is a colour as `#rrggbb`. */
export const isColor = (text: string): boolean => /^#[0-9a-f]{6}$/i.test(text);

const parse = (color: string): Rgb => {
  const number = Number.parseInt(color.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
};

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(color: string): number {
  const [red, green, blue] = parse(color).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast ratio of two colours written `#rrggbb`: from 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function mixed(color: string, into: string, share: number): string {
  const [from, to] = [parse(color), parse(into)];
  const parts = from.map((part, index) => Math.round(part + ((to[index] ?? 0) - part) * share));
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Says why an accent can't be the colour of links, with its contrast ratio. Undefined when it can. */
export function accentProblem(color: string, scheme: Scheme): string | undefined {
  const ratio = contrast(color, cards[scheme]);
  if (ratio >= leastContrast) return undefined;
  // The ratio is rounded down. Otherwise the message would refuse 4.499 as 4.5.
  const told = Math.floor(ratio * 100) / 100;
  const way = scheme === 'light' ? 'darker' : 'lighter';
  return `must have a contrast of at least ${leastContrast}:1 with the ${scheme} card's ${cards[scheme]} to be readable as a link (WCAG AA), and has ${told}:1: choose a ${way} shade`;
}

/** Lightens a colour for the dark card, to about the same contrast as the default accent has. */
export function accentForDark(light: string): string {
  for (let share = 0; share < 1; share += 0.05) {
    const color = mixed(light, '#ffffff', share);
    if (contrast(color, cards.dark) >= 8) return color;
  }
  return '#ffffff';
}

/** The shades of an accent that `accentProblem` accepts. Text on the accent is as readable as the link. */
export function accentShades(accent: string, scheme: Scheme): AccentShades {
  const onAccent = contrast(accent, '#ffffff') >= leastContrast ? '#ffffff' : '#000000';
  const accentStrong = mixed(accent, scheme === 'light' ? '#000000' : '#ffffff', 0.25);
  return { accent: accent.toLowerCase(), accentStrong, onAccent };
}
