import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { TestCertificate } from './certificate.ts';
import { waitFor } from './wait-for.ts';

/** A mail as the SMTP server got it. */
export interface ReceivedMail {
  from: string;
  to: string[];
  /** The header fields and the body, as they were sent. */
  raw: string;
  /** The values of a header field, decoded (RFC 2047). */
  header(name: string): string[];
  /** The part with this media type, decoded. */
  part(type: 'text/plain' | 'text/html'): string;
  secure: boolean;
  user: string | undefined;
}

/** An answer of the server that is no success. */
export interface Refusal {
  /** `sender`, `recipient` or `content`. */
  at: 'sender' | 'recipient' | 'content';
  code: number;
}

export interface MailServer {
  port: number;
  readonly received: ReceivedMail[];
  /** The settings of a Gatehouse that sends its mails here. */
  readonly settings: Record<'GATEHOUSE_MAIL' | 'GATEHOUSE_MAIL_FROM', string>;
  to(address: string): ReceivedMail[];
  /** Waits until this number of mails to an address have arrived. */
  until(address: string, count: number): Promise<ReceivedMail[]>;
  /** Refuses mails to this address from now on; undefined to take them again. */
  refuse(address: string, refusal: Refusal | undefined): void;
  /** Called after the content has arrived and before the answer. */
  beforeAnswer(held: ((mail: ReceivedMail) => Promise<void>) | undefined): void;
  /** Closes all connections and takes no new ones, or listens again on the same port. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export interface MailServerOptions {
  /** Offers STARTTLS, or with `first` begins with TLS. */
  tls?: { certificate: TestCertificate; first?: boolean };
  /** Asks for this login. */
  login?: { user: string; password: string };
}

/** A real SMTP server on this machine, in this process. */
export async function startMailServer({ tls, login }: MailServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const refusals = new Map<string, Refusal>();
  let hold: ((mail: ReceivedMail) => Promise<void>) | undefined;
  const refusalOf = (address: string, at: Refusal['at']) => {
    const refusal = refusals.get(address);
    return refusal?.at === at
      ? Object.assign(new Error(`refused <${address}>`), { responseCode: refusal.code })
      : undefined;
  };
  const options: SMTPServerOptions = {
    logger: false,
    disabledCommands: [...(tls && !tls.first ? [] : ['STARTTLS']), ...(login ? [] : ['AUTH'])],
    secure: tls?.first ?? false,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    ...(tls ? { key: tls.certificate.key, cert: tls.certificate.cert } : {}),
    onAuth: ({ username, password }, _session, done) => {
      const isRight = username === login?.user && password === login?.password;
      if (isRight) done(null, { user: username });
      else done(Object.assign(new Error('Invalid login'), { responseCode: 535 }));
    },
    onMailFrom: ({ address }, _session, done) => done(refusalOf(address, 'sender')),
    onRcptTo: ({ address }, _session, done) => done(refusalOf(address, 'recipient')),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const { mailFrom, rcptTo } = session.envelope;
        const to = rcptTo.map(({ address }) => address);
        const refused = to.map((address) => refusalOf(address, 'content')).find(Boolean);
        if (refused) return done(refused);
        const from = mailFrom ? mailFrom.address : '';
        const user = session.user === undefined ? undefined : String(session.user);
        const mail = readMail(Buffer.concat(chunks).toString('latin1'), {
          from,
          to,
          user,
          secure: session.secure,
        });
        received.push(mail);
        await hold?.(mail);
        done(null, 'taken');
      });
    },
  };
  let server: SMTPServer;
  const listen = async (port: number) => {
    server = new SMTPServer(options);
    // A client that goes away in the middle is what some tests do.
    server.on('error', () => {});
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return (server.server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const goAway = async () => {
    for (const connection of server.connections as Set<{ _socket?: { destroy(): void } }>)
      connection._socket?.destroy();
    await new Promise<void>((resolve) => server.close(resolve));
  };
  const to = (address: string) => received.filter((mail) => mail.to.includes(address));
  return {
    port,
    received,
    settings: { GATEHOUSE_MAIL: `smtp://127.0.0.1:${port}`, GATEHOUSE_MAIL_FROM: 'login@example.com' },
    to,
    until: async (address, count) => {
      const what = `${count} mails to ${address}`;
      // After the end of the process that sends, another one takes over within 80 seconds.
      await waitFor(() => to(address).length >= count, { timeoutMs: 150_000, what });
      return to(address);
    },
    refuse: (address, refusal) => void (refusal ? refusals.set(address, refusal) : refusals.delete(address)),
    beforeAnswer: (held) => {
      hold = held;
    },
    goAway,
    comeBack: async () => void (await listen(port)),
    close: goAway,
  };
}

function readMail(raw: string, facts: Pick<ReceivedMail, 'from' | 'to' | 'user' | 'secure'>): ReceivedMail {
  const [head = ''] = raw.split('\r\n\r\n', 1);
  const fields = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return {
    ...facts,
    raw,
    header: (name) =>
      fields
        .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((field) => decodeWords(field.slice(name.length + 1).trim())),
    part: (type) => {
      const boundary = /boundary="(?<boundary>[^"]+)"/.exec(head)?.groups?.boundary ?? '';
      const part = raw
        .split(`--${boundary}`)
        .find((each) => new RegExp(`content-type: ${type}`, 'i').test(each));
      const [partHead = '', ...body] = (part ?? '').split('\r\n\r\n');
      const text = body.join('\r\n\r\n');
      const bytes = /encoding: base64/i.test(partHead)
        ? Buffer.from(text, 'base64')
        : /encoding: quoted-printable/i.test(partHead)
          ? Buffer.from(unquote(text), 'latin1')
          : Buffer.from(text, 'latin1');
      return bytes.toString('utf8').replaceAll('\r\n', '\n').trim();
    },
  };
}

const unquote = (text: string) =>
  text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const decodeWords = (text: string) =>
  text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('utf8')
        : Buffer.from(unquote(word.replaceAll('_', ' ')), 'latin1').toString('utf8'),
    );
