import { expect, test } from 'vitest';
import { did, inOneLine, type Stopped, type Stops } from './stopped';

const one = (ask: string): Stopped => ({
  ask,
  at: '2026-11-28T03:00:00Z',
  person: null,
  services: ['search'],
  what: 'deploy v12',
  enforced: true,
  uncoordinated: false,
  may_redact: false,
});
const stops = (stopped: number, observed: number): Stops => ({
  days: 7,
  stopped,
  observed,
  last: Array.from({ length: Math.min(stopped + observed, 20) }, (_, n) => one(String(n))),
});

test('one line says what the gate did', () => {
  expect(did(stops(2, 0))).toBe('The gate stopped 2');
  expect(did(stops(0, 1))).toBe('The gate would have stopped 1');
  expect(did(stops(2, 3))).toBe('The gate stopped 2 and would have stopped 3');
});

test('it tells the last two, and how many there are besides', () => {
  expect(inOneLine(stops(1, 0)).more).toBe(0);
  const { few, more } = inOneLine(stops(30, 4));
  expect(few.map(({ ask }) => ask)).toEqual(['0', '1']);
  expect(more).toBe(32);
});
