// Loaded into a Gatehouse process by `node --import`. It adds a number of milliseconds to the time. The file that
// TEST_CLOCK_FILE names has this number, as JSON: `all` for every process, and another one for each public port. A change
// of the file counts at once.
import { readFileSync, statSync } from 'node:fs';

const RealDate = Date;
const file = process.env.TEST_CLOCK_FILE;
let shift = 0;
let seen = '';
const read = () => {
  const { mtimeMs, ino, size } = statSync(file);
  const state = `${mtimeMs} ${ino} ${size}`;
  if (state === seen) return;
  const { all, ...ports } = JSON.parse(readFileSync(file, 'utf8'));
  shift = all + (ports[process.env.GATEHOUSE_PORT] ?? 0);
  seen = state;
};
read();

const now = () => {
  // The test may be writing the file at this moment. The next look finds the complete text.
  try {
    read();
  } catch {}
  return RealDate.now() + shift;
};
globalThis.Date = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
});
