import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { waitFor } from '../support/wait-for.ts';

const file = join(tmpdir(), `gatehouse-bench-${process.pid}.cpuprofile`);
const hook = pathToFileURL(join(packageRoot, 'test', 'bench', 'profiler.js')).href;

/** The environment variables of a server that can be profiled. */
export const profilerEnv = { NODE_OPTIONS: `--import=${hook}`, BENCH_PROFILE_FILE: file };

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
}

export interface Share {
  name: string;
  /** The share of the time in which the main thread of the server was busy. */
  share: number;
}

export interface Profile {
  areas: Share[];
  functions: Share[];
}

/** Profiles the main thread of the server while `work` sends requests. */
export async function profiled(pid: number, work: () => Promise<unknown>): Promise<Profile> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  await work();
  process.kill(pid, 'SIGUSR2');
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const profile = await waitFor(read, { timeoutMs: 30_000, what: 'the profile' });
  rmSync(file, { force: true });
  return summed(profile);
}

function summed({ nodes, samples }: CpuProfile): Profile {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const busy = samples
    .map((id) => frames.get(id))
    .filter((frame) => frame !== undefined && frame.functionName !== '(idle)');
  const shares = (nameOf: (frame: CpuProfile['nodes'][number]['callFrame']) => string): Share[] => {
    const counts = new Map<string, number>();
    for (const frame of busy) if (frame) counts.set(nameOf(frame), (counts.get(nameOf(frame)) ?? 0) + 1);
    return [...counts]
      .map(([name, count]) => ({ name, share: count / busy.length }))
      .sort((one, other) => other.share - one.share);
  };
  return {
    areas: shares(({ functionName, url }) => areaOf(functionName, url)),
    functions: shares(({ functionName, url, lineNumber }) => {
      const place = url.replace(/^.*\/(node_modules|provider)\//, '');
      return `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
    }).slice(0, 40),
  };
}

/** Returns the library, the folder of Gatehouse or the part of Node. */
function areaOf(functionName: string, url: string): string {
  const library = /\/node_modules\/(?<name>(@[^/]+\/)?[^/]+)\//.exec(url)?.groups?.name;
  if (library !== undefined) return library;
  const ours = /\/provider\/(?<folder>adapters\/[^/]+|[^/]+)\//.exec(url)?.groups?.folder;
  if (ours !== undefined) return `provider/${ours}`;
  const part = /^node:(internal\/)?(?<part>[^/]+)/.exec(url)?.groups?.part;
  if (part !== undefined) return `node:${part}`;
  return functionName === '(garbage collector)' ? 'garbage collector' : 'native code';
}
