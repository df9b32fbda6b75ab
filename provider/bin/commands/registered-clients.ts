import { removeRegistered } from '../../clients/client-registration.ts';
import { sha256 } from '../../clients/registered-clients.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { randomToken } from '../../lib/ids.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { withStores } from './open-stores.ts';

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Gives milliseconds. Throws a CommandFailure for any other text, and for more than 90 days. */
function parseDuration(text: string): number {
  const { count, unit = '' } = /^(?<count>[1-9]\d{0,5})(?<unit>[mhd])$/.exec(text)?.groups ?? {};
  const ms = Number(count) * (units[unit] ?? Number.NaN);
  if (ms <= 90 * 86_400_000) return ms;
  throw new CommandFailure('usage', '--expires must be a time such as 30m, 12h or 7d; 90d at most.', {
    code: 'usage',
  });
}

/** `gatehouse clients registration-token`. The token is the only line of the standard output. */
export async function createRegistrationToken(
  { expires }: { expires: string },
  output: Output,
): Promise<void> {
  const expiresAt = clock.now() + parseDuration(expires);
  const token = randomToken();
  const mode = await withStores({}, async ({ config, ports }) => {
    await ports.registeredClients.addToken(sha256(token), expiresAt);
    return config.registration;
  });
  output.result({ token, expiresAt: isoTime(expiresAt) }, token);
  output.note(`Apps may register with it until ${isoTime(expiresAt)}. It is not shown again.`);
  if (mode === 'off')
    output.note(
      'GATEHOUSE_REGISTRATION is off here: if it is off for the servers too, the token has no effect.',
    );
}

/** `gatehouse clients registered`. */
export async function listRegistered(output: Output): Promise<void> {
  const clients = await withStores({}, ({ ports }) => ports.registeredClients.list(clock.now()));
  const listed = clients.map(({ id, metadata, createdAt, expiresAt }) => ({
    id,
    name: String(metadata.client_name ?? ''),
    redirectUris: [metadata.redirect_uris ?? []].flat().map(String),
    registeredAt: isoTime(createdAt),
    expiresAt: isoTime(expiresAt),
  }));
  const rows = listed.map(({ id, name, registeredAt, expiresAt, redirectUris }) => [
    ...[id, name, registeredAt, expiresAt],
    redirectUris.join(' '),
  ]);
  const text = table(['id', 'name', 'registered', 'until', 'redirect URIs'], rows);
  output.result({ clients: listed }, listed.length > 0 ? text : 'No app has registered itself.');
}

/** `gatehouse clients delete-registered`. Throws `not_found` when there is no such client. */
export async function deleteRegistered(id: string, output: Output): Promise<void> {
  const wasThere = await withStores({ redis: true }, ({ ports, newEvent, clientRevocation }) =>
    removeRegistered({ unitOfWork: ports.unitOfWork, newEvent, endClients: clientRevocation.endWithin }, id),
  );
  if (!wasThere)
    throw new CommandFailure('problems', `No app with the id ${id} has registered itself.`, {
      code: 'not_found',
    });
  output.result({ deleted: id }, `${id} is deleted, and everything that it was issued is revoked.`);
}
