import { expect, test } from 'vitest';
import type { Sighting } from '../api/sightings';
import { beforehand, others, parted, strip, together, word } from './sightings';

const sighting = (id: number, at: string, more: Partial<Sighting> = {}): Sighting => ({
  id,
  service: 'search',
  what: 'deploy v12',
  who: null,
  person: null,
  told_by: null,
  told_by_github: false,
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
  expect([beforehand(1), beforehand(3), others(1), others(3)]).toEqual([
    '1 change in the hour before',
    '3 changes in the hour before',
    '1 other, with nothing to sort',
    '3 others, with nothing to sort',
  ]);
});

const robin = { id: 'r', handle: 'robin', name: 'Robin' } as NonNullable<Sighting['person']>;
const mary = { ...robin, id: 'm', handle: 'mary', name: 'Mary' };

test('those of one maker are dismissed together, offered with the first of them', () => {
  const may: Sighting['may'] = ['dismiss'];
  const all = [
    sighting(1, '03:00', { unsorted: true, may, who: 'A bot' }),
    sighting(2, '03:01', { unsorted: true, may, who: 'robin', person: robin }),
    sighting(3, '03:02', { unsorted: true, may, who: 'a bot' }),
    sighting(4, '03:03', { unsorted: true, may: [], who: 'a bot' }),
    sighting(5, '03:04', { unsorted: true, may, who: 'robin@example.org', person: robin }),
    sighting(6, '03:05', { unsorted: true, may }),
  ];
  expect(all.map((one) => together(one, all))).toEqual([[1, 3], [2, 5], [], [], [], []]);
  expect(together(all[0]!, all.toReversed())).toEqual([]);
});

test('it is said whose token told of it, and whom somebody names as the maker of their own', () => {
  const of = (more: Partial<Sighting>): string => word(sighting(1, '03:00', more));
  expect(of({ person: robin, who: 'robin' })).toBe('');
  expect(of({ person: robin, who: 'Robin', told_by: robin })).toBe('');
  expect(of({ person: robin, who: 'sabrina', told_by: robin })).toBe('naming “sabrina”');
  expect(of({ person: robin, who: 'robin', told_by: mary })).toBe('by a token of Mary');
  expect(of({ who: 'a bot', told_by: mary })).toBe('by a token of Mary');
  expect(of({ person: robin, who: 'robin', told_by_github: true })).toBe('told by GitHub');
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
