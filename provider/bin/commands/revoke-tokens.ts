import { z } from 'zod';
import { systemClock as clock } from '../../lib/clock.ts';
import { createRefreshTokens } from '../../oidc/storage/refresh-tokens.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { readToken } from '../cli/read-token.ts';
import { isoTime } from '../cli/table.ts';
import { type Stores, withStores } from './open-stores.ts';

export interface RevokeOptions {
  id?: string | undefined;
  family?: string | undefined;
  client?: string | undefined;
}

interface Revoked {
  revoked: 'token' | 'family' | 'client';
  id: string;
  /** The result as text for a person. */
  text: string;
  note?: string;
}

type Revoke = (stores: Stores) => Promise<Revoked>;

/** `gatehouse tokens revoke`. Without an option it reads a token from standard input. */
export async function revokeTokens(options: RevokeOptions, output: Output): Promise<void> {
  const { revoke, serverSecrets } = await revocationFor(options);
  const { revoked, id, text, note } = await withStores({ redis: true, serverSecrets }, revoke);
  output.result({ revoked, id }, text);
  if (note) output.note(note);
}

async function revocationFor(options: RevokeOptions): Promise<{ revoke: Revoke; serverSecrets: boolean }> {
  const { id, family, client } = options;
  if ([id, family, client].filter((given) => given !== undefined).length > 1)
    throw new CommandFailure('usage', 'Give one of --id, --family and --client.', { code: 'usage' });
  if (id !== undefined) return { revoke: byId(id), serverSecrets: false };
  if (family !== undefined) return { revoke: byFamily(family), serverSecrets: false };
  if (client !== undefined) return { revoke: byClient(client), serverSecrets: false };
  const token = await readToken();
  const isRefreshToken = token.startsWith('fam_');
  return {
    revoke: isRefreshToken ? byRefreshToken(token) : byAccessToken(token),
    serverSecrets: isRefreshToken,
  };
}

/** Refuses impossible ids. Ids are not looked up, so a mistyped id would revoke nothing and still report success. */
function checked(option: string, value: string, form: RegExp): string {
  if (form.test(value)) return value;
  throw new CommandFailure('usage', `The value of ${option} is not valid. Check the id.`, { code: 'usage' });
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
  return async (stores) => endFamily(stores, id);
}

async function endFamily({ revocation, redisHint }: Stores, id: string): Promise<Revoked> {
  await revocation.endFamily(id);
  return { revoked: 'family', id, text: `Every token of the family ${id} is dead.`, note: redisHint };
}

function byClient(given: string): Revoke {
  const id = checked('--client', given, /^[\x21-\x7e]{1,255}$/);
  return async ({ clientRevocation }) => {
    await clientRevocation.revoke(id);
    return {
      revoked: 'client',
      id,
      text: `All tokens and codes issued to ${id} are revoked. ${aboutClient}`,
    };
  };
}

const aboutClient = 'Tokens issued to it from one second after this are valid.';

function byRefreshToken(token: string): Revoke {
  return async (stores) => {
    const keys = await stores.serverKeys();
    const refreshTokens = createRefreshTokens({ families: stores.ports.families, keys, clock });
    const familyId = (await refreshTokens.find(token))?.token.familyId;
    if (familyId === undefined)
      throw new CommandFailure(
        'problems',
        'This refresh token does not match the server secrets. Set GATEHOUSE_SERVER_SECRETS as the servers have it.',
        { code: 'not_ours' },
      );
    return endFamily(stores, familyId);
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

/** Revokes by an access token. Its signature isn't checked, because revoking a token of another issuer does no harm. */
function byAccessToken(token: string): Revoke {
  const parts = token.split('.').map(parseObject);
  const [head, body] = [header.safeParse(parts[0]), claims.safeParse(parts[1])];
  if (parts.length !== 3 || !head.success || !body.success)
    throw new CommandFailure(
      'problems',
      'The text on standard input is neither an access token nor a refresh token of Gatehouse.',
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
    const others = `Other tokens of the same sign-in stay valid; to end them: gatehouse tokens revoke --family ${family}`;
    return { revoked: 'token', id, text, ...(family === undefined ? {} : { note: others }) };
  };
}

function parseObject(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
