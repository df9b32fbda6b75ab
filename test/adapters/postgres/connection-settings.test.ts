import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { connectionSettings } from '../../../adapters/postgres/connection-settings.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';

describe('connectionSettings', () => {
  test('reads every part of the URL and decodes escapes', () => {
    expect(
      connectionSettings(
        'postgresql://us%40er:p%2Fss%20w%25@db.example.com:6543/gate%20house?options=-c%20x%3D1',
      ),
    ).toEqual({
      host: 'db.example.com',
      port: 6543,
      user: 'us@er',
      password: 'p/ss w%',
      database: 'gate house',
      options: '-c x=1',
      ssl: false,
    });
  });

  test.each([
    ['postgres://u@localhost/d', 'localhost'],
    ['postgres://u@[::1]/d', '::1'],
    ['postgres:///d?host=/var/run/postgresql', '/var/run/postgresql'],
    ['postgres:///d', 'localhost'],
  ])('reads the host of %s', (url, host) => {
    expect(connectionSettings(url)).toMatchObject({ host, port: 5432, database: 'd' });
  });

  test.each(['require', 'verify-ca', 'verify-full'])(
    'verifies certificate and name with sslmode=%s',
    (mode) => {
      expect(connectionSettings(`postgres://db/d?sslmode=${mode}`).ssl).toEqual({ rejectUnauthorized: true });
    },
  );

  test('connects without TLS unless the URL has sslmode, and without verification only by no-verify', () => {
    for (const without of ['', '?sslmode=disable', '?options=-c%20x%3D1'])
      expect(connectionSettings(`postgres://db/d${without}`).ssl).toBe(false);
    expect(connectionSettings('postgres://db/d?sslmode=no-verify').ssl).toEqual({
      rejectUnauthorized: false,
    });
  });

  test('reads a certificate authority from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
    try {
      const path = join(folder, 'ca.pem');
      await writeFile(path, 'a certificate');
      const ssl = { rejectUnauthorized: true, ca: 'a certificate' };
      expect(connectionSettings(`postgres://db/d?sslrootcert=${path}`).ssl).toEqual(ssl);
      expect(connectionSettings(`postgres://db/d?sslmode=verify-full&sslrootcert=system`).ssl).toEqual({
        rejectUnauthorized: true,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('takes a private key only from a file that others may not read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
    try {
      const path = join(folder, 'client.key');
      const read = () => connectionSettings(`postgres://db/d?sslmode=verify-full&sslkey=${path}`);
      await writeFile(path, 'a key');
      await chmod(path, 0o644);
      expect(read).toThrow(`chmod 600 ${path}`);
      await chmod(path, 0o600);
      expect(read().ssl).toEqual({ rejectUnauthorized: true, key: 'a key' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    ['nonsense', /a URL like postgres:\/\//i],
    ['mysql://u:hunter2@db/d', /a URL like postgres:\/\//i],
    ['postgres://u:hunter2%zz@db/d', /%25/],
    ['postgres://u:hunter2@db/d?sslmode=prefer', /sslmode.*verify-full/],
    ['postgres://u:hunter2@db/d?sslmode=verify', /sslmode.*verify-full/],
    ['postgres://u:hunter2@db/d?sslrootcert=/no/such/file', /sslrootcert.*ENOENT/],
    ['postgres://u:hunter2@db/d?channel_binding=require', /channel_binding/],
  ])('refuses %s with a reason and without the password', (url, message) => {
    const read = () => connectionSettings(url);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/hunter2/);
  });
});
