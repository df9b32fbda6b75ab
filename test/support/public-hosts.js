// Loaded into a Gatehouse process by `node --import`. It gives host names of a test an address of the test's choice, and
// connects them to a server on this machine. The file that TEST_PUBLIC_HOSTS names has for each name `address`, which
// the look-up of the name gives, and `port`, where the server listens.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const hostOf = (name) => JSON.parse(readFileSync(process.env.TEST_PUBLIC_HOSTS, 'utf8'))[name];

const realLookup = dns.lookup;
dns.lookup = (name, options, done) => {
  const host = hostOf(name);
  if (!host) return realLookup(name, options, done);
  const found = { address: host.address, family: 4 };
  process.nextTick(() => (options.all ? done(null, [found]) : done(null, found.address, found.family)));
};
syncBuiltinESMExports();

/** The look-up that the program uses decides as in earnest. Only then the address is replaced. */
const toThisMachine = (lookup) => (name, options, done) =>
  lookup(name, options, (error, found, family) => {
    if (error) done(error);
    else if (options.all)
      done(
        null,
        found.map(() => ({ address: '127.0.0.1', family: 4 })),
      );
    else done(null, '127.0.0.1', family);
  });

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = typeof options?.host === 'string' ? hostOf(options.host) : undefined;
  if (host) {
    options.port = host.port;
    options.lookup = toThisMachine(options.lookup ?? dns.lookup);
  }
  return connect.apply(this, args);
};
