import { expect, test } from 'vitest';
import { Aloud, settledAfter } from './aloud';
import type { Standing } from './provider';
import { saying } from './saying';

const standing = (now: Partial<Standing>): Standing => ({
  link: 'live',
  saved: true,
  may: true,
  why: '',
  full: '',
  ended: null,
  ...now,
});

/** Settles like this, where the room has said that there is no connection. */
const settle = (aloud: Aloud, now: Partial<Standing>) => {
  const stands = standing(now);
  return aloud.settled(saying(stands, 'kept', false, false, stands.link === 'away'), stands);
};

const AGAIN = 'Document: connected again, and everything is saved.';

test('that everything is saved is said once the server has it, and not when it is only connected', () => {
  const aloud = new Aloud();
  expect(settle(aloud, { link: 'away', saved: false })).toBeNull();
  expect(settle(aloud, { saved: false })).toBeNull();
  expect(settle(aloud, {})).toBe(AGAIN);
  expect(settle(aloud, { saved: false })).toBeNull();
  expect(settle(aloud, {}), 'typing is no worry').toBeNull();
});

test('what is wrong is said, and then that it is in order', () => {
  const aloud = new Aloud();
  expect(settle(aloud, {}), 'nothing was wrong').toBeNull();
  expect(settle(aloud, { saved: false, may: false, why: 'You read along.' })).toContain('Not saved.');
  expect(settle(aloud, { link: 'connecting' })).toBeNull();
  expect(settle(aloud, {})).toBe(AGAIN);
});

test('a connection that is away for a moment is not worth a word', () => {
  expect(settledAfter(standing({ link: 'away' }))).toBeGreaterThan(5_000);
  expect(settledAfter(standing({}))).toBeLessThan(2_000);
});
