import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { accentForDark, accentProblem, accentShades, cards, contrast } from '../../provider/lib/accent.ts';

// Known pairs: the extremes of WCAG, and #767676, the lightest grey that passes on white.
test.each([
  ['#000000', '#ffffff', 21],
  ['#ffffff', '#ffffff', 1],
  ['#767676', '#ffffff', 4.54],
  ['#777777', '#ffffff', 4.48],
  ['#0000ff', '#ffffff', 8.59],
  ['#FF0000', '#ffffff', 4],
])('%s and %s have a contrast of %d:1', (one, other, ratio) => {
  expect(contrast(one, other)).toBeCloseTo(ratio, 2);
  expect(contrast(other, one)).toBeCloseTo(ratio, 2);
});

test('the card colours equal those of the stylesheet', () => {
  const style = readFileSync('views/assets/gatehouse.css', 'utf8');
  const declared = [...style.matchAll(/--card: (#[0-9a-f]{3,6});/g)].map(([, color = '']) =>
    color.length === 4 ? color.replace(/[0-9a-f]/g, '$&$&') : color,
  );
  expect(declared).toEqual([cards.light, cards.dark]);
});

describe('an accent', () => {
  test.each([
    ['#767676', 'light', undefined],
    ['#777777', 'light', '4.47:1: choose a darker shade'],
    ['#ffcc00', 'light', '1.51:1: choose a darker shade'],
    ['#1d5c48', 'dark', '2.14:1: choose a lighter shade'],
    ['#86cbb0', 'dark', undefined],
  ] as const)('%s in %s: %s', (color, scheme, problem) => {
    if (problem === undefined) expect(accentProblem(color, scheme)).toBeUndefined();
    else expect(accentProblem(color, scheme)).toContain(problem);
  });

  /** 4,096 colours, evenly distributed. */
  const all = Array.from({ length: 4096 }, (_, index) => {
    const digits = index.toString(16).padStart(3, '0');
    return `#${digits.replace(/./g, '$&$&')}`;
  });

  test.each(['light', 'dark'] as const)(
    'that is accepted in %s is readable everywhere, also while the pointer is over it',
    (scheme) => {
      const taken = all.filter((color) => accentProblem(color, scheme) === undefined);
      expect(taken.length).toBeGreaterThan(500);
      const unreadable = taken.filter((color) => {
        const { accent, accentStrong, onAccent } = accentShades(color, scheme);
        const pairs = [accent, accentStrong].flatMap((each) => [
          contrast(each, cards[scheme]),
          contrast(each, onAccent),
        ]);
        return pairs.some((ratio) => ratio < 4.5) || accent === accentStrong;
      });
      expect(unreadable.filter((color) => !['#000000', '#ffffff'].includes(color))).toEqual([]);
    },
  );

  test('has a derived colour for dark mode with the same hue that is readable there', () => {
    expect(all.map((color) => accentForDark(color)).filter((color) => accentProblem(color, 'dark'))).toEqual(
      [],
    );
    expect(accentForDark('#0000ff')).toMatch(/^#([0-9a-f]{2})\1ff$/);
  });
});
