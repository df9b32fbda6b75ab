import { parse } from 'yaml';

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = { uses?: string; steps?: Step[]; permissions?: unknown; 'timeout-minutes'?: number };
type Workflow = { permissions?: unknown; concurrency?: unknown; jobs?: Record<string, Job> };

/** What a workflow may name: the targets of the Makefile, and the files of the repository. */
export type Known = { targets: string[]; isFile: (path: string) => boolean };

const pinned = /^\s*(- )?uses: [\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const local = /^\s*(- )?uses: \.\//;

/** The targets that a script gives to `make`. Variables such as `TESTS=…` and options are no targets. */
function targetsIn(script: string): string[] {
  return [...script.matchAll(/(?:^|[\s;&(])make((?:[ \t]+[\w=.$"/-]+)*)/g)].flatMap(([, words = '']) =>
    words
      .trim()
      .split(/\s+/)
      .filter((word) => /^[a-z][a-z-]*$/.test(word)),
  );
}

/** The scripts of the repository that a script starts, as in `.ci/image.sh` or `bash test/cluster/run.sh`. */
function scriptsIn(script: string): string[] {
  return [...script.matchAll(/(?:^|[\s;&(])((?:\.?[\w-]+\/)+[\w-]+\.(?:sh|js|mjs|ts))(?=[\s;&)]|$)/g)].map(
    ([, path = '']) => path,
  );
}

function problemsOfJob(name: string, job: Job, known: Known): string[] {
  const problems: string[] = [];
  const rights = job.permissions;
  if (rights === null || typeof rights !== 'object') problems.push(`${name}: the job must list its rights`);
  if (job.uses === undefined && !(Number(job['timeout-minutes']) > 0))
    problems.push(`${name}: the job must have timeout-minutes`);
  for (const { uses, run = '', with: inputs } of job.steps ?? []) {
    if (uses?.startsWith('actions/checkout@') && inputs?.['persist-credentials'] !== false)
      problems.push(`${name}: checkout must have persist-credentials: false`);
    // A value in a script is read as a part of the script, and it can contain commands.
    if (run.includes('${{')) problems.push(`${name}: values must come to a script by env, not by \${{ }}`);
    for (const target of targetsIn(run))
      if (!known.targets.includes(target)) problems.push(`${name}: there is no make target ${target}`);
    for (const path of scriptsIn(run))
      if (!known.isFile(path)) problems.push(`${name}: there is no file ${path}`);
  }
  return problems;
}

/** What is wrong with the text of a workflow by the rules of docs/pipelines.md, one line for each problem. */
export function problemsOf(text: string, known: Known): string[] {
  const workflow = parse(text) as Workflow;
  const problems: string[] = [];
  if (JSON.stringify(workflow.permissions) !== '{}') problems.push('permissions must be {} at the top');
  if (!workflow.concurrency) problems.push('concurrency must be set');
  for (const line of text.split('\n'))
    if (/^\s*(- )?uses:/.test(line) && !pinned.test(line) && !local.test(line))
      problems.push(`not pinned by SHA with the version beside it: ${line.trim()}`);
  for (const [name, job] of Object.entries(workflow.jobs ?? {}))
    problems.push(...problemsOfJob(name, job, known));
  return problems;
}
