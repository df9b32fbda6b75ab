import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { buildProgram } from '../support/built-program.ts';
import { provideServers } from '../support/servers/provide.ts';
import { chooseCores } from './cores.ts';
import { markdownOf } from './report.ts';
import { runBench } from './run.ts';
import { readSettings } from './settings.ts';
import { verdictsOf } from './verdicts.ts';

/** `make bench`: see `docs/speed.md`. */
const settings = readSettings(process.env);
const cores = chooseCores();
const say = (text: string) => void process.stderr.write(`${text}\n`);

say('building');
const removeProgram = await buildProgram({ bundled: !settings.profile });
cores.pinLoad();
const stopServers = await provideServers();
try {
  const report = await runBench(settings, cores, say);
  const markdown = markdownOf(report);
  mkdirSync(join(packageRoot, 'artifacts'), { recursive: true });
  writeFileSync(join(packageRoot, 'artifacts', 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${markdown}\n`);
  for (const { claim, seen } of verdictsOf(report).filter(({ holds }) => !holds)) {
    say(`It did not hold that ${claim}: ${seen}.`);
    process.exitCode = 1;
  }
  if (settings.write) writeBetweenMarkers(join(packageRoot, 'docs', 'speed.md'), markdown);
} finally {
  await Promise.all([stopServers(), removeProgram()]);
}

function writeBetweenMarkers(path: string, text: string): void {
  const page = readFileSync(path, 'utf8');
  const written = page.replace(/(<!-- measured -->\n)[\s\S]*(<!-- end -->)/, `$1\n${text}\n\n$2`);
  if (written === page) throw new Error(`${path} has no place for the measurements`);
  writeFileSync(path, written);
}
