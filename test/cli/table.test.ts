import { expect, test } from '@jest/globals';
import { fieldList, table } from '../../provider/bin/cli/table.ts';

test('cells are aligned in columns, and no column is wider than necessary', () => {
  expect(
    table(
      ['id', 'user agent'],
      [
        ['one', 'a'],
        ['seventh', 'b'],
      ],
    ),
  ).toBe('ID       USER AGENT\none      a\nseventh  b');
});

test('cells contain no control characters for the terminal, such as U+009B from a header', () => {
  const hostile = 'a\u009b2J\u009d0;title\u001b[31m\nb\u0007';
  expect(table(['agent'], [[hostile]])).toBe('AGENT\na�2J�0;title�[31m�b�');
  expect(fieldList({ name: hostile })).toBe('name  a�2J�0;title�[31m�b�');
});
