// What is asked for a line that tells of a change.
import { expect, test } from 'vitest';
import { aloud, telling } from './telling';

const line = { words: 'search: rolled back to v11', beside: '' };

test('a line is told as done or as about to be made, by whoever writes it', () => {
  expect(telling('record_change', line, null)).toMatchObject({
    command: 'record_change',
    what: line.words,
    service: null,
    made_by: null,
  });
  const announced = telling('announce_change', line, 'index');
  expect(announced).toMatchObject({ command: 'announce_change', service: 'index' });
  expect(announced).not.toHaveProperty('made_by');
  expect(aloud(announced)).toContain('Say how it went');
});

test('what somebody else made is done, also where it was to be announced when its name was asked for', () => {
  const told = telling('announce_change', { ...line, beside: 'marty' }, 'search');
  expect(told).toMatchObject({ command: 'record_change', made_by: 'marty' });
  expect(aloud(told)).toBe('The change is recorded.');
});
