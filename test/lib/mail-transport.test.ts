import { describe, expect, test } from '@jest/globals';
import { readMailFrom, readMailTransport, readQueueUrl } from '../../provider/lib/mail-transport.ts';

describe('readMailTransport', () => {
  test.each([
    ['off', { kind: 'off' }],
    ['ses', { kind: 'ses', region: undefined }],
    ['ses:eu-central-1', { kind: 'ses', region: 'eu-central-1' }],
    ['ses:us-gov-west-1', { kind: 'ses', region: 'us-gov-west-1' }],
    ['smtp://mail.example.com', { kind: 'smtp', host: 'mail.example.com', port: 587, tls: 'upgrade' }],
    ['smtp://mail.example.com:2525/', { kind: 'smtp', host: 'mail.example.com', port: 2525, tls: 'upgrade' }],
    ['smtps://mail.example.com', { kind: 'smtp', host: 'mail.example.com', port: 465, tls: 'first' }],
    ['smtp://localhost:1025', { kind: 'smtp', host: 'localhost', port: 1025, tls: 'none' }],
    ['smtp://[::1]:1025', { kind: 'smtp', host: '::1', port: 1025, tls: 'none' }],
    ['smtps://127.0.0.1', { kind: 'smtp', host: '127.0.0.1', port: 465, tls: 'first' }],
    ['smtp://10.0.0.7', { kind: 'smtp', host: '10.0.0.7', port: 587, tls: 'upgrade' }],
  ])('reads %s', (text, expected) => {
    expect(readMailTransport(text)).toEqual(expected);
  });

  test.each([
    '',
    'on',
    'folder',
    'ses:',
    'ses:Europe',
    'smtp://',
    'smtp://user@mail.example.com',
    'smtp://user:secret@mail.example.com',
    'smtp://mail.example.com/path',
    'smtp://mail.example.com?tls=false',
    'smtp://mail.example.com:99999',
    'smtp://localhost.example.com@evil.example',
    'smtp://mail.exa\nmple.com',
    'http://mail.example.com',
  ])('refuses %j', (text) => {
    expect(readMailTransport(text)).toBeUndefined();
  });

  test('a name that only looks like this machine still needs TLS', () => {
    expect(readMailTransport('smtp://localhost.example.com')).toMatchObject({ tls: 'upgrade' });
    expect(readMailTransport('smtp://127.0.0.1.example.com')).toMatchObject({ tls: 'upgrade' });
  });
});

describe('readQueueUrl', () => {
  test.each([
    'https://sqs.eu-central-1.amazonaws.com/111122223333/gatehouse-mail-reports',
    'https://vpce-1a2b.sqs.eu-central-1.vpce.amazonaws.com/111122223333/reports',
    'http://127.0.0.1:4566/000000000000/reports',
  ])('reads %s', (text) => {
    expect(readQueueUrl(text)).toBe(text);
  });

  test.each([
    '',
    'gatehouse-mail-reports',
    'arn:aws:sqs:eu-central-1:111122223333:gatehouse-mail-reports',
    'http://sqs.eu-central-1.amazonaws.com/111122223333/reports',
    'https://user:secret@sqs.eu-central-1.amazonaws.com/111122223333/reports',
    'https://sqs.eu-central-1.amazonaws.com/',
    'https://sqs.eu-central-1.amazonaws.com/1/reports?x=1',
    'https://sqs.eu-central-1.amazonaws.com/1/reports\n',
  ])('refuses %j', (text) => {
    expect(readQueueUrl(text)).toBeUndefined();
  });
});

describe('readMailFrom', () => {
  test.each([
    ['login@example.com', { address: 'login@example.com' }],
    ['<login@example.com>', undefined],
    ['Example Login <login@example.com>', { name: 'Example Login', address: 'login@example.com' }],
    ['Größe & Söhne <login@example.com>', { name: 'Größe & Söhne', address: 'login@example.com' }],
    ['login', undefined],
    ['a@example.com, b@example.com', undefined],
    ['A <a@example.com>, B <b@example.com>', undefined],
    ['A\nBcc: b@example.com <a@example.com>', undefined],
    ['"A" <a@example.com>', undefined],
  ])('%j', (text, expected) => {
    expect(readMailFrom(text)).toEqual(expected);
  });
});
