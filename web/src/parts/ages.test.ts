// Ages and deadlines, at the edges where their words change.
import { describe, expect, test } from 'vitest';
import { ahead } from '../api/skew';
import { age, clockTime, exactly, isLate, span, until } from './ages';

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;
const now = new Date('2026-11-23T15:28:00Z');
const at = (offset: number) => new Date(now.getTime() + offset).toISOString();

test.each([
  [-5 * S, 'a moment'],
  [0, 'a moment'],
  [9_999, 'a moment'],
  [10 * S, '10 s'],
  [59 * S, '50 s'],
  [MIN, '1 min'],
  [59 * MIN + 59 * S, '59 min'],
  [H, '1 h'],
  [H + 5 * MIN, '1 h 5 min'],
  [D - 1, '23 h 59 min'],
  [D, '1 d'],
  [3 * D + 4 * H, '3 d 4 h'],
  [20 * D + 4 * H, '20 d'],
])('%d ms are "%s"', (long, said) => expect(span(long)).toBe(said));

test('an age counts from then to now, and is never negative', () => {
  expect(age(at(-35 * MIN), now)).toBe('35 min');
  expect(age(at(5 * MIN), now)).toBe('a moment');
});

test.each([
  [11 * MIN, 'in 11 min'],
  [10 * MIN + S, 'in 11 min'],
  [51 * S, 'in 1 min'],
  [59 * MIN + S, 'in 1 h'],
  [12 * H + S, 'in 12 h'],
  [12 * H - S, 'in 12 h'],
  [50 * S, 'in 50 s'],
  [41 * S, 'in 50 s'],
  [1, 'in 10 s'],
  [0, 'due now'],
  [-9 * S, 'due now'],
  [-10 * S, '10 s late'],
  [-4 * MIN, '4 min late'],
])('what is due in %d ms is "%s"', (left, said) => {
  expect(until(at(left), now)).toBe(said);
  expect(isLate(at(left), now)).toBe(left <= 0);
});

test('the exact time is given in UTC and in the own zone', () => {
  expect(exactly('2026-11-23T15:28:04.5Z', 'Europe/Berlin')).toMatch(
    /^2026-11-23 15:28:04 UTC \(.*4:28:04.* here\)$/,
  );
  expect(exactly('not a time')).toBe('not a time');
  expect(clockTime(new Date('2026-01-02T03:04:05Z'))).toBe('03:04:05Z');
});

describe("the server's clock", () => {
  const header = 'Mon, 23 Nov 2026 15:28:00 GMT';
  const said = Date.parse(header);
  test('a browser that is right stays as it is', () =>
    expect(ahead(0, header, said + 100, said + 180)).toBe(0));
  test('a browser an hour behind is an hour ahead after it', () => {
    const corrected = ahead(0, header, said - H, said - H + 80);
    expect(Math.abs(corrected - H)).toBeLessThan(S);
    // The next answer, half a second later in the same second, moves nothing.
    expect(ahead(corrected, header, said - H + 100, said - H + 150)).toBe(corrected);
  });
  test('no header, or nonsense, changes nothing', () => {
    expect(ahead(7, null, 0, 1)).toBe(7);
    expect(ahead(7, 'yesterday', 0, 1)).toBe(7);
  });
});
