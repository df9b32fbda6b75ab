import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type Known, problemsOf } from './workflows.ts';

const folder = '.github/workflows';
const files = readdirSync(folder);
const targets = [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z][a-z-]*):/gm)].map(
  ([, name = '']) => name,
);
const known: Known = { targets, isFile: existsSync };

const good = `
permissions: {}
concurrency:
  group: x
jobs:
  x:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: make check && make test TESTS=test/lib && .ci/image.sh
        env:
          TITLE: \${{ github.event.pull_request.title }}
`;

describe('the workflows', () => {
  test.each(files)('%s keeps the rules', (file) => {
    expect(problemsOf(readFileSync(`${folder}/${file}`, 'utf8'), known)).toEqual([]);
  });

  test('ci tests each version of Node that package.json allows, on all parts of the tests', () => {
    const { jobs } = parse(readFileSync(`${folder}/ci.yml`, 'utf8'));
    const { node, part } = jobs.test.strategy.matrix;
    expect(node).toEqual([20, 22, 24]);
    expect(part).toEqual(part.map((_: string, index: number) => `${index + 1}/${part.length}`));
  });
});

describe('the rules', () => {
  test('accept a workflow that keeps them', () => {
    expect(problemsOf(good, known)).toEqual([]);
  });

  test.each([
    ['rights at the top', 'permissions: {}', 'permissions: write-all', 'permissions must be {} at the top'],
    ['no concurrency', 'concurrency:\n  group: x\n', '', 'concurrency must be set'],
    ['a tag instead of a SHA', /@[0-9a-f]{40} # v7.0.1/, '@v7', 'not pinned by SHA'],
    ['no version beside the SHA', ' # v7.0.1', '', 'not pinned by SHA'],
    [
      'a job without rights',
      '    permissions:\n      contents: read\n',
      '',
      'x: the job must list its rights',
    ],
    ['a job without an end', '    timeout-minutes: 5\n', '', 'x: the job must have timeout-minutes'],
    ['credentials that stay', 'persist-credentials: false', 'fetch-depth: 0', 'persist-credentials'],
    [
      'an event in a script',
      'make check',
      `echo $\{{ github.event.issue.title }}`,
      'values must come to a script',
    ],
    ['a target that is not there', 'make check', 'make chekc', 'x: there is no make target chekc'],
    ['a second target that is not there', 'make test', 'make test tset', 'x: there is no make target tset'],
    ['a script that is not there', '.ci/image.sh', '.ci/imgae.sh', 'x: there is no file .ci/imgae.sh'],
  ])('refuse %s', (_, from, to, problem) => {
    const bad = good.replace(from, to);
    expect(bad).not.toBe(good);
    expect(problemsOf(bad, known)).toEqual([expect.stringContaining(problem)]);
  });
});
