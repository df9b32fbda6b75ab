import { describe, expect, test } from '@jest/globals';
import { createEvent, eventCatalogue } from '../../provider/events/catalogue.ts';
import { renderEventsMarkdown } from '../../provider/events/events-markdown.ts';
import { createManualClock } from '../support/manual-clock.ts';

const clock = createManualClock();
const john = { id: 'user_john', email: 'john@example.com' };
const from = { clientId: 'demo-web', ip: '192.0.2.7', userAgent: '' };

describe('an event', () => {
  test('has a unique id, its version and the time', () => {
    const event = createEvent('user.login', john.id, { ...john, ...from }, { clock });
    expect(event).toEqual({
      id: expect.stringMatching(/^evt_[A-Za-z0-9_-]{22}$/),
      type: 'user.login',
      version: 1,
      time: clock.now(),
      subject: john.id,
      data: { ...john, ...from },
    });
    expect(createEvent('user.created', john.id, john, { clock }).id).not.toBe(event.id);
    expect(createEvent('user.created', john.id, john, { clock, id: 'evt_given' }).id).toBe('evt_given');
  });

  test.each([
    ['without a field', { id: john.id, ...from }, /email/],
    ['with an empty id', { ...john, id: '', ...from }, /id/],
    ['with an extra field', { ...john, ...from, passwordHash: 'hush' }, /passwordHash/],
  ])('%s cannot be created', (_, data, problem) => {
    expect(() => createEvent('user.login', john.id, data, { clock })).toThrow(problem);
    expect(() => createEvent('user.login', john.id, data, { clock })).not.toThrow(/hush/);
  });
});

test('the page about events names every type, version and field', () => {
  const page = renderEventsMarkdown();
  for (const [type, { version, when, data }] of Object.entries(eventCatalogue)) {
    const section = page.split(`## \`${type}\`\n`)[1]?.split('\n## ')[0];
    expect(section).toContain(`Version ${version}. ${when}`);
    for (const field of Object.keys(data.shape)) {
      expect(section).toMatch(new RegExp(`\\| \`${field}\` \\| (string|array|number|enum) \\| `));
    }
  }
  expect(page).not.toContain('undefined');
});
