import { expect, test } from 'vitest';
import type { Told, Way } from '../api/types';
import { told } from './told';

const now = new Date('2026-01-05T03:01:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1_000).toISOString();
const person = { id: 'p', name: 'Mary', handle: 'mary', guest: false };
const way = (state: Way['state'], why: string | null = null): Way => ({
  channel: 'mail',
  state,
  at: ago(40),
  attempts: 1,
  why,
});
const of = (ways: Way[], seen_at: string | null = null): Told => ({ person, seen_at, ways });

test('whoever waits reads how far it is', () => {
  expect(told(of([way('accepted')]), now)).toBe('the mail relay took it 40 s ago; not seen yet');
  expect(told(of([way('refused', 'the mail relay answered 451')]), now)).toBe(
    'the mail relay answered 451; it is tried again; not seen yet',
  );
  const never = { ...way('failed', 'their browser’s push service answered 403'), channel: 'push' as const };
  expect(told(of([never]), now)).toBe(
    'their browser’s push service answered 403; it is not tried again; not seen yet',
  );
  expect(told(of([way('quiet')]), now)).toBe('mail waits for the end of their quiet hours; not seen yet');
  expect(told(of([way('due')]), now)).toBe('on its way to the mail relay; not seen yet');
  const shown = { ...way('accepted'), channel: 'push' as const };
  expect(told(of([shown]), now)).toBe('their browser’s push service took it 40 s ago; not seen yet');
  expect(told(of([]), now)).toBe('cannot be reached outside this page; not seen yet');
  expect(told(of([way('accepted')], ago(20)), now)).toBe('seen 20 s ago');
});
