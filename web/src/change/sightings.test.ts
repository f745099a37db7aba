import { expect, test } from 'vitest';
import type { Sighting } from '../api/sightings';
import { beforehand, parted, strip } from './sightings';

const sighting = (id: number, at: string, more: Partial<Sighting> = {}): Sighting => ({
  id,
  service: 'search',
  what: 'deploy v12',
  who: null,
  person: null,
  source: 'ci',
  link: null,
  environment: null,
  stage: 'done',
  at: `2026-11-28T${at}:00Z`,
  entry: id,
  before_impact: false,
  uncoordinated: false,
  unsorted: false,
  change: null,
  sorted_by: null,
  asked_in_by: null,
  may: [],
  ...more,
});

test('what waits comes first and the longest waiting of it, then what is likeliest to have broken something', () => {
  const all = [
    sighting(1, '02:10', { before_impact: true }),
    sighting(2, '03:20', { unsorted: true }),
    sighting(3, '02:50', { before_impact: true }),
    sighting(4, '03:10', { unsorted: true }),
    sighting(5, '03:15'),
  ];
  const { unsorted, before, others } = parted(all);
  expect([unsorted, before, others].map((part) => part.map(({ id }) => id))).toEqual([[4, 2], [3, 1], [5]]);
});

test('one change is not several', () => {
  expect([beforehand(1), beforehand(3)]).toEqual([
    '1 change in the hour before',
    '3 changes in the hour before',
  ]);
});

test('each stands where it was made, between an hour before impact and now', () => {
  const all = [sighting(1, '02:00'), sighting(2, '03:00'), sighting(3, '04:00', { unsorted: true })];
  const { marks, impact } = strip(all, '2026-11-28T03:00:00Z', new Date('2026-11-28T04:00:00Z'));
  expect(marks.map(({ x }) => x)).toEqual([2, 50, 98]);
  expect(impact).toBe(50);
  expect(marks.map(({ kind }) => kind)).toEqual(['other', 'other', 'unsorted']);
  // One from long before has its place too, and a clock that is behind moves nothing out of sight.
  const early = strip([sighting(1, '00:00')], '2026-11-28T03:00:00Z', new Date('2026-11-28T02:00:00Z'));
  expect(early.marks[0]?.x).toBe(2);
  expect(early.impact).toBeLessThan(98);
});
