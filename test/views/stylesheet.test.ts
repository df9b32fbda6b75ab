import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const style = readFileSync('views/assets/gatehouse.css', 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
const declarations = [...style.matchAll(/([a-z-]+)\s*:\s*([^;{}]+);/g)].map(
  ([, property = '', value = '']) => ({
    property,
    value: value.trim(),
  }),
);

/** Sides and directions that stay where they are when a page is written from right to left. */
const physical =
  /^(left|right|(margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right)(-\w+)?|border-(top|bottom)-(left|right)-radius|float|clear)$/;

/** Shorthands that name all four sides, where left and right are told apart. */
const lopsided = ({ property, value }: (typeof declarations)[number]) => {
  const [, right, , left] = value.match(/(?:[^\s(]+|\([^)]*\))+/g) ?? [];
  return (
    /^(margin|padding|inset|border-(width|style|color))$/.test(property) &&
    left !== undefined &&
    left !== right
  );
};

test('there are declarations to look at', () => {
  expect(declarations.length).toBeGreaterThan(150);
});

test('nothing is put left or right: pages can be written from right to left', () => {
  expect(declarations.filter(({ property }) => physical.test(property))).toEqual([]);
  expect(declarations.filter(({ value }) => /\b(left|right)\b/.test(value))).toEqual([]);
  // The tick before a scope is drawn by two sides of a box, turned: it looks the same from both sides.
  const tick = { property: 'border-width', value: '0 2px 2px 0' };
  expect(declarations.filter(lopsided)).toEqual([tick]);
});

test('nothing is loaded: no font, no picture, no other style', () => {
  expect(style).not.toMatch(/url\(|@import|@font-face|image-set\(/);
});
