// Loaded into a Gatehouse process by `node --import`. It adds a number of milliseconds to the time. The file that
// TEST_CLOCK_FILE names has this number, as JSON: `all` for every process, and another one for each public port.
import { readFileSync } from 'node:fs';

const RealDate = Date;
let shift = 0;
const read = () => {
  const { all, ...ports } = JSON.parse(readFileSync(process.env.TEST_CLOCK_FILE, 'utf8'));
  shift = all + (ports[process.env.GATEHOUSE_PORT] ?? 0);
};
read();
setInterval(() => {
  // The test may be writing the file at this moment. The next look finds the complete text.
  try {
    read();
  } catch {}
}, 20).unref();

const now = () => RealDate.now() + shift;
globalThis.Date = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
});
