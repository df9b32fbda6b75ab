import type { FloodReport } from './flood.ts';
import type { LimitName } from './limits.ts';
import type { Round } from './load.ts';
import type { Operation } from './operations.ts';
import type { Profile } from './profile.ts';
import type { Comparison } from './timing.ts';
import { verdictsOf } from './verdicts.ts';

export interface MeasuredOperation extends Pick<Operation, 'name' | 'limit' | 'aim'> {
  typical: Round;
  rounds: Round[];
}

export interface BenchReport {
  date: string;
  machine: string;
  settings: object;
  limits: { name: LimitName; typical: Round; rounds: Round[] }[];
  operations: MeasuredOperation[];
  profiles: Record<string, Profile>;
  comparisons: Comparison[];
  flood?: FloodReport | undefined;
}

/** The rate by CPU time if it is known, because CPU time limits one server on one core. */
export const rateOf = ({ perCpuSecond, perSecond }: Round): number => perCpuSecond ?? perSecond;

/** The report of the run as Markdown tables. */
export function markdownOf(report: BenchReport): string {
  const parts = [
    `${report.date}. ${report.machine}.`,
    operationsTable(report),
    limitsTable(report),
    comparisonsTable(report),
    floodTable(report),
    verdictsTable(report),
    ...Object.entries(report.profiles).map(([name, profile]) => profileTable(name, profile)),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function operationsTable({ operations, limits }: BenchReport): string {
  if (operations.length === 0) return '';
  const rows = operations.map(({ name, limit, aim, typical }) => {
    const against = limits.find((one) => one.name === limit)?.typical;
    const ratio = against ? rateOf(typical) / rateOf(against) : Number.NaN;
    const stock = limits.find((one) => one.name === `stock oidc-provider: ${name}`)?.typical;
    return [
      ...[name, whole(typical.perSecond), whole(typical.perCpuSecond)],
      ...[tenths(typical.p50Ms), tenths(typical.p99Ms)],
      ...[limit, whole(against && rateOf(against)), ratio.toFixed(2), aim?.toFixed(2) ?? ''],
      stock ? (rateOf(typical) / rateOf(stock)).toFixed(2) : '',
    ];
  });
  return table(
    [
      'operation',
      'a second',
      'a CPU-second',
      'p50 ms',
      'p99 ms',
      'limit',
      'of it a CPU-second',
      'ratio',
      'aim',
      'of stock',
    ],
    rows,
  );
}

function limitsTable({ limits }: BenchReport): string {
  if (limits.length === 0) return '';
  const rows = limits.map(({ name, typical: { perSecond, perCpuSecond, p50Ms } }) => [
    ...[name, whole(perSecond), whole(perCpuSecond), p50Ms.toFixed(2)],
  ]);
  return table(['limit', 'a second', 'a CPU-second', 'p50 ms'], rows);
}

function comparisonsTable({ comparisons }: BenchReport): string {
  if (comparisons.length === 0) return '';
  const rows = comparisons.map((one) => [
    ...[one.name, String(one.tries), tenths(one.knownMs), tenths(one.unknownMs)],
    ...[one.areaUnderCurve.toFixed(3), one.sameAnswer ? 'the same' : 'NOT the same'],
  ]);
  return table(
    ['tried', 'tries', 'known, median ms', 'unknown, median ms', 'area under the curve', 'status and text'],
    rows,
  );
}

function floodTable({ flood }: BenchReport): string {
  if (!flood) return '';
  const { sentPerSecond, answers, probes, memoryMib } = flood;
  const told = Object.entries(answers).map(([status, count]) => `${status}: ${count}`);
  return [
    `A flood of ${whole(sentPerSecond)} sign-ins a second (${told.join(', ')}); the server held ${whole(Math.min(...memoryMib))} to ${whole(Math.max(...memoryMib))} MiB meanwhile.`,
    '',
    table(
      ['meanwhile', 'p99 before, ms', 'p99 during, ms', 'ratio'],
      probes.map(({ name, beforeP99Ms, duringP99Ms, ratio }) => [
        ...[name, tenths(beforeP99Ms), tenths(duringP99Ms), ratio.toFixed(2)],
      ]),
    ),
  ].join('\n');
}

function verdictsTable(report: BenchReport): string {
  const verdicts = verdictsOf(report);
  if (verdicts.length === 0) return '';
  return table(
    ['claim', 'seen', 'held'],
    verdicts.map(({ claim, seen, holds }) => [claim, seen, holds ? 'yes' : 'NO']),
  );
}

function profileTable(name: string, { areas, functions }: Profile): string {
  const rows = (shares: Profile['areas']) =>
    shares.filter(({ share }) => share >= 0.01).map((one) => [one.name, `${(one.share * 100).toFixed(1)} %`]);
  return `Where ${name} spends the main thread's time\n\n${table(['area', 'share'], rows(areas))}\n\n${table(['function', 'share'], rows(functions))}`;
}

function table(headings: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), `|${headings.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const whole = (value: number | undefined) =>
  value === undefined ? '' : Math.round(value).toLocaleString('en');
const tenths = (value: number) => value.toFixed(1);
