import { parseUrl } from './parse-url.ts';

/** How mails leave, as the settings say it. */
export type MailTransport =
  | { kind: 'off' }
  /** Files on this machine, for development. No setting chooses it. */
  | { kind: 'folder' }
  | { kind: 'ses'; region: string | undefined }
  | SmtpServer;

export interface SmtpServer {
  kind: 'smtp';
  /** A host name, or an address without brackets. */
  host: string;
  port: number;
  /** `first`: TLS from the first byte. `upgrade`: STARTTLS, required. `none`: only on loopback. */
  tls: 'first' | 'upgrade' | 'none';
}

const isLoopback = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);

/** Reads `off`, `ses`, `ses:REGION`, or the URL of an SMTP server without user name and password. Undefined for any other text. */
export function readMailTransport(text: string): MailTransport | undefined {
  if (text === 'off') return { kind: 'off' };
  const ses = /^ses(?::(?<region>[a-z]{2}(?:-[a-z]+)+-\d))?$/.exec(text);
  if (ses) return { kind: 'ses', region: ses.groups?.region };
  // A parser would drop white space and take a part of a password for a path.
  if (!/^smtps?:\/\/[a-z0-9._:[\]-]+\/?$/i.test(text)) return undefined;
  const url = parseUrl(text);
  if (!url?.hostname) return undefined;
  const isFirst = url.protocol === 'smtps:';
  return {
    kind: 'smtp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (isFirst ? 465 : 587)),
    tls: isFirst ? 'first' : isLoopback(url.hostname) ? 'none' : 'upgrade',
  };
}

/** Reads the URL of a queue: https, or http on this machine. Undefined for any other text. */
export function readQueueUrl(text: string): string | undefined {
  if (!/^https?:\/\/[a-z0-9.:[\]-]+\/[A-Za-z0-9/_.-]+$/.test(text)) return undefined;
  const url = parseUrl(text);
  return url && (url.protocol === 'https:' || isLoopback(url.hostname)) ? text : undefined;
}

/** The sender of mails. */
export interface MailFrom {
  name?: string | undefined;
  address: string;
}

const fromShape =
  /^(?:(?<name>[^\p{Cc}\p{Zl}\p{Zp}"<>@,;:\\()[\]]{1,60}?)\s*<(?<named>[^<>]+)>|(?<bare>[^<>\s]+))$/u;
const addressShape = /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@(?=.{1,189}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/;

/** Reads `name@example.com` or `Name <name@example.com>`. Undefined for any other text. */
export function readMailFrom(text: string): MailFrom | undefined {
  const { name, named, bare } = fromShape.exec(text.trim())?.groups ?? {};
  const address = named ?? bare;
  if (address === undefined || !addressShape.test(address)) return undefined;
  return name === undefined ? { address } : { name: name.trim(), address };
}
