import { expect, test } from 'vitest';
import { at, lately, mode } from './gate';
import type { Gated } from './types';

const gated = (more: Partial<Gated>): Gated => ({
  service: 'search',
  owner: null,
  enforced: [],
  held_by: [],
  stopped: 0,
  observed: 0,
  uncoordinated: 0,
  last: [],
  ...more,
});

test('a gate says at which severities it stops people, the worst first', () => {
  expect(mode([])).toBe('the gate only observes');
  expect(mode(['sev2', 'sev1'])).toBe('the gate stops people at SEV 1 and SEV 2');
  expect(at(['sev1', 'sev2', 'sev4'])).toBe('SEV 1, SEV 2 and SEV 4');
});

test('what a gate did lately is said where it did anything', () => {
  expect(lately(undefined, 7)).toBe('');
  expect(lately(gated({}), 7)).toBe('');
  expect(lately(gated({ observed: 14, uncoordinated: 2 }), 7)).toBe(
    'would have stopped 14 in 7 days; 2 uncoordinated changes afterwards',
  );
  expect(lately(gated({ stopped: 1, observed: 3, uncoordinated: 1 }), 7)).toBe(
    'stopped 1 and would have stopped 3 in 7 days; 1 uncoordinated change afterwards',
  );
});
