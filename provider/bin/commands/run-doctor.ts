import { examine, type Finding } from '../../doctor/examine.ts';
import { observe, type Question } from '../../doctor/observe.ts';
import { systemClock } from '../../lib/clock.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { readToken } from '../cli/read-token.ts';

export interface DoctorOptions {
  question: Question;
  /** Whether a token comes by standard input. */
  withToken: boolean;
}

/** `gatehouse doctor`. Throws a CommandFailure when a rule is not met. Warnings are not failures. */
export async function runDoctor({ question, withToken }: DoctorOptions, output: Output): Promise<void> {
  const token = withToken ? await readToken(process.stdin, ', or leave --token out') : undefined;
  const findings = examine(await observe({ ...question, token }, systemClock));
  const failures = findings.filter(({ state }) => state === 'failed');
  const { issuer, gateway } = question;
  const rules = findings.map(({ id, requires, state, message, ...more }) => {
    return { rule: id, requires, state, message, remedy: 'remedy' in more ? more.remedy : null };
  });
  const text = [...findings.map(line), '', summary(findings)].join('\n');
  output.result({ ok: failures.length === 0, issuer, gateway, rules }, text);
  if (failures.length === 0) return;
  const heading = `API Gateway would not work with ${issuer}: ${count(failures.length, 'rule')} not met`;
  const problems = failures.map(({ id, message }) => `${id}: ${message}`);
  // A person has just read the problems in the report.
  throw new CommandFailure('problems', heading, {
    code: 'validation_failed',
    ...(output.json ? { problems } : {}),
  });
}

const marks = { ok: 'ok', failed: 'FAILED', warning: 'warning', skipped: 'skipped' } as const;

function line(finding: Finding): string {
  const start = `${marks[finding.state].padEnd(8)} ${finding.id}: ${finding.message}`;
  return 'remedy' in finding ? `${start}\n         To mend it: ${finding.remedy}` : start;
}

function summary(findings: Finding[]): string {
  const number = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const parts = [
    `${count(number('ok'), 'rule')} met`,
    `${number('failed')} not met`,
    count(number('warning'), 'warning'),
    `${number('skipped')} not checked`,
  ];
  return `${parts.join(', ')}.`;
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
