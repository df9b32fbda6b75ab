import { z } from 'zod';
import { systemClock as clock } from '../../lib/clock.ts';
import { createRefreshTokens } from '../../oidc/storage/refresh-tokens.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { readToken } from '../cli/read-token.ts';
import { isoTime } from '../cli/table.ts';
import { type RevocationAccess, withRevocation } from './revocation-access.ts';

export interface RevokeOptions {
  id?: string | undefined;
  family?: string | undefined;
  client?: string | undefined;
}

interface Revoked {
  revoked: 'token' | 'family' | 'client';
  id: string;
  /** For a person. */
  text: string;
  note?: string;
}

type Revoke = (access: RevocationAccess) => Promise<Revoked>;

/** `gatehouse tokens revoke`. Without an option it reads a token from standard input. */
export async function revokeTokens(options: RevokeOptions, output: Output): Promise<void> {
  const { revoke, secrets } = await wanted(options);
  const { revoked, id, text, note } = await withRevocation(revoke, { secrets });
  output.result({ revoked, id }, text);
  if (note) output.note(note);
}

async function wanted(options: RevokeOptions): Promise<{ revoke: Revoke; secrets: boolean }> {
  const { id, family, client } = options;
  if ([id, family, client].filter((given) => given !== undefined).length > 1)
    throw new CommandFailure('usage', 'Give one of --id, --family and --client.', { code: 'usage' });
  if (id !== undefined) return { revoke: byId(id), secrets: false };
  if (family !== undefined) return { revoke: byFamily(family), secrets: false };
  if (client !== undefined) return { revoke: byClient(client), secrets: false };
  const token = await readToken();
  const isRefreshToken = token.startsWith('fam_');
  return { revoke: isRefreshToken ? byRefreshToken(token) : byAccessToken(token), secrets: isRefreshToken };
}

/** None of them is looked up, so a slip of the pen would end nothing and say otherwise: what can't be one is refused. */
function checked(option: string, value: string, form: RegExp): string {
  if (form.test(value)) return value;
  throw new CommandFailure('usage', `What ${option} was given can't be one.`, { code: 'usage' });
}

function byId(given: string): Revoke {
  const id = checked('--id', given, /^[\w~.-]{16,128}$/);
  return async ({ revocation }) => {
    await revocation.revokeToken(id);
    return { revoked: 'token', id, text: `The access token ${id} is dead.` };
  };
}

function byFamily(given: string): Revoke {
  const id = checked('--family', given, /^fam_[\w-]{22}$/);
  return async (access) => endFamily(access, id);
}

async function endFamily({ revocation, doubt }: RevocationAccess, id: string): Promise<Revoked> {
  await revocation.endFamily(id);
  return { revoked: 'family', id, text: `Every token of the family ${id} is dead.`, note: doubt };
}

function byClient(given: string): Revoke {
  const id = checked('--client', given, /^[\x21-\x7e]{1,255}$/);
  return async ({ revokeClient }) => {
    await revokeClient(id);
    return { revoked: 'client', id, text: `Everything ${id} was issued is dead. ${aboutClient}` };
  };
}

const aboutClient = 'What it is issued from a second after this on is good.';

function byRefreshToken(token: string): Revoke {
  return async (access) => {
    const keys = await access.serverKeys();
    const refreshTokens = createRefreshTokens({ families: access.ports.families, keys, clock });
    const familyId = (await refreshTokens.find(token))?.token.familyId;
    if (familyId === undefined)
      throw new CommandFailure(
        'problems',
        'This is no refresh token of ours, as far as the server secrets tell. Set GATEHOUSE_SERVER_SECRETS as the servers have it.',
        { code: 'not_ours' },
      );
    return endFamily(access, familyId);
  };
}

const header = z.looseObject({ typ: z.literal('at+jwt') });
const claims = z.looseObject({
  iss: z.string(),
  jti: z.string().regex(/^[\w~.-]{1,128}$/),
  exp: z.number(),
  client_id: z.string(),
  family: z.string().optional(),
});

/** Its signature isn't looked at: whoever revokes what isn't ours does no harm. */
function byAccessToken(token: string): Revoke {
  const parts = token.split('.').map(parseObject);
  const [head, body] = [header.safeParse(parts[0]), claims.safeParse(parts[1])];
  if (parts.length !== 3 || !head.success || !body.success)
    throw new CommandFailure(
      'problems',
      'What came by standard input is no access token and no refresh token of ours.',
      { code: 'not_ours' },
    );
  const { iss, jti: id, exp, client_id: clientId, family } = body.data;
  return async ({ config, revocation }) => {
    if (iss !== config.issuer)
      throw new CommandFailure('problems', `This access token is of another issuer than ${config.issuer}.`, {
        code: 'not_ours',
      });
    await revocation.revokeToken(id);
    const expired = exp * 1000 <= clock.now();
    const text = `The access token ${id} of ${clientId} ${expired ? `was dead since ${isoTime(exp * 1000)}` : 'is dead'}.`;
    const goesOn = `Others of its sign-in live on; to end them: gatehouse tokens revoke --family ${family}`;
    return { revoked: 'token', id, text, ...(family === undefined ? {} : { note: goesOn }) };
  };
}

function parseObject(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
