import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const style = readFileSync('views/assets/gatehouse.css', 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
const declarations = [...style.matchAll(/([a-z-]+)\s*:\s*([^;{}]+);/g)].map(
  ([, property = '', value = '']) => ({
    property,
    value: value.trim(),
  }),
);

/** Physical sides and directions, which do not change if a page is written from right to left. */
const physical =
  /^(left|right|(margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right)(-\w+)?|border-(top|bottom)-(left|right)-radius|float|clear)$/;

/** Shorthands for all four sides with different values for left and right. */
const lopsided = ({ property, value }: (typeof declarations)[number]) => {
  const [, right, , left] = value.match(/(?:[^\s(]+|\([^)]*\))+/g) ?? [];
  return (
    /^(margin|padding|inset|border-(width|style|color))$/.test(property) &&
    left !== undefined &&
    left !== right
  );
};

test('declarations are found', () => {
  expect(declarations.length).toBeGreaterThan(150);
});

test('no declaration uses left or right, so pages can be written from right to left', () => {
  expect(declarations.filter(({ property }) => physical.test(property))).toEqual([]);
  expect(declarations.filter(({ value }) => /\b(left|right)\b/.test(value))).toEqual([]);
  // The tick before a scope is drawn with two sides of a rotated box. It looks the same in both directions.
  const tick = { property: 'border-width', value: '0 2px 2px 0' };
  expect(declarations.filter(lopsided)).toEqual([tick]);
});

test('the stylesheet loads nothing: no font, no picture, no other stylesheet', () => {
  expect(style).not.toMatch(/url\(|@import|@font-face|image-set\(/);
});
