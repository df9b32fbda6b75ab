import type { FloodReport } from './flood.ts';
import type { LimitName } from './limits.ts';
import type { Round } from './load.ts';
import type { Comparison } from './operations.ts';
import type { Ratio } from './paired.ts';
import type { Profile } from './profile.ts';
import { type Starts, startRows } from './start.ts';
import type { Comparison as TimeComparison } from './timing.ts';
import type { TwoProcesses } from './two-processes.ts';
import { verdictsOf } from './verdicts.ts';

export interface MeasuredOperation {
  name: string;
  typical: Round;
  rounds: Round[];
  /** The operation compared with each of its limits. */
  ratios: (Ratio & Comparison)[];
}

export interface BenchReport {
  date: string;
  machine: string;
  settings: object;
  limits: { name: LimitName; typical: Round; rounds: Round[] }[];
  operations: MeasuredOperation[];
  twoProcesses: TwoProcesses | undefined;
  starts: Starts | undefined;
  profiles: Record<string, Profile>;
  comparisons: TimeComparison[];
  flood?: FloodReport | undefined;
}

/** The report of the run as Markdown tables. */
export function markdownOf(report: BenchReport): string {
  const parts = [
    `${report.date}. ${report.machine}.`,
    operationsTable(report),
    ratiosTable(report),
    limitsTable(report),
    startsTable(report),
    comparisonsTable(report),
    floodTable(report),
    verdictsTable(report),
    ...Object.entries(report.profiles).map(([name, profile]) => profileTable(name, profile)),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function operationsTable({ operations }: BenchReport): string {
  if (operations.length === 0) return '';
  const rows = operations.map(({ name, typical }) => [
    ...[name, whole(typical.perSecond), whole(typical.perCpuSecond)],
    ...[tenths(typical.p50Ms), tenths(typical.p99Ms)],
  ]);
  return table(['operation', 'a second', 'a CPU-second', 'p50 ms', 'p99 ms'], rows);
}

function ratiosTable({ operations, twoProcesses }: BenchReport): string {
  const rows = operations.flatMap(({ name, ratios }) =>
    ratios.map(({ limit, ratio, noise, aim }) => [
      ...[name, limit, ratio.toFixed(2), `± ${noise.toFixed(3)}`, aim?.toFixed(2) ?? ''],
    ]),
  );
  if (twoProcesses) {
    const { ratio, noise, redisMicroseconds } = twoProcesses;
    const redis = `${whole(redisMicroseconds)} µs of Redis a refresh: at most ${whole(1e6 / redisMicroseconds)} a second`;
    rows.push([
      'refreshes of two processes',
      `one process (${redis})`,
      ratio.toFixed(2),
      `± ${noise.toFixed(3)}`,
      '',
    ]);
  }
  return rows.length === 0 ? '' : table(['operation', 'compared with', 'ratio', 'noise', 'aim'], rows);
}

function limitsTable({ limits }: BenchReport): string {
  if (limits.length === 0) return '';
  const rows = limits.map(({ name, typical: { perSecond, perCpuSecond, p50Ms } }) => [
    ...[name, whole(perSecond), whole(perCpuSecond), p50Ms.toFixed(2)],
  ]);
  return table(['limit', 'a second', 'a CPU-second', 'p50 ms'], rows);
}

function startsTable({ starts }: BenchReport): string {
  if (!starts) return '';
  return table(['a process', 'median', 'least', 'most', 'aim'], startRows(starts));
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
