// What the board puts where, what it takes for a duplicate, and what the palette finds.
import { describe, expect, test } from 'vitest';
import type { Summary } from '../api/types';
import { find } from '../shell/find';
import { groups } from './groups';
import { alike, words } from './likeness';

const summary = (number: number, title: string | null, more: Partial<Summary> = {}): Summary => ({
  number,
  title,
  kind: 'incident',
  phase: 'active',
  severity: 'sev2',
  services: [],
  commander: { id: 'p', handle: 'sabrina', name: 'Sabrina' },
  commander_unseen_since: null,
  opened_at: '2026-11-23T15:00:00Z',
  phase_since: '2026-11-23T15:00:00Z',
  next_due: null,
  responders: 1,
  last_entry: 1,
  ...more,
});

describe('groups', () => {
  test('what burns stands apart from what is looked into, planned, practised and resolved', () => {
    const open = [
      summary(1, 'a', { severity: 'sev3' }),
      summary(2, 'b', { phase: 'investigating' }),
      summary(3, 'c', { kind: 'planned' }),
      summary(4, 'd', { kind: 'drill', phase: 'investigating' }),
      summary(5, 'e', { phase: 'resolved' }),
      summary(6, 'f', { severity: 'sev1', phase: 'mitigated' }),
      summary(7, 'g', { severity: 'sev3' }),
    ];
    expect(groups(open).map((group) => [group.id, group.rows.map((one) => one.number)])).toEqual([
      ['incidents', [6, 7, 1]],
      ['investigations', [2]],
      ['resolved', [5]],
      ['planned', [3]],
      ['drills', [4]],
    ]);
  });

  test('an empty group is not there', () => expect(groups([])).toEqual([]));
});

describe('likely duplicates', () => {
  const open = [
    summary(1, 'Search is failing for everyone since the new sonnet', { services: ['search', 'frontend'] }),
    summary(2, 'Checkout answers slowly in Europe'),
    summary(3, 'Searches are slow on phones'),
    summary(4, null),
    summary(5, 'Café menu'),
  ];
  const numbers = (title: string) => alike(title, open).map((one) => one.number);

  test('share words that matter, however they are written', () => {
    expect(numbers('search is failing')).toEqual([1, 3]);
    expect(numbers('SEARCH')).toEqual([3, 1]);
    expect(numbers('search: sonnets missing')).toEqual([1, 3]);
    expect(numbers('cafe')).toEqual([5]);
    expect(numbers('frontend')).toEqual([1]);
  });

  test('do not share only words that say nothing', () => {
    expect(numbers('The new one is failing for everyone')).toEqual([]);
    expect(numbers('')).toEqual([]);
    expect(numbers('   ?!  ')).toEqual([]);
  });

  test('are three at the most, and a very long title is no burden', () => {
    const many = Array.from({ length: 50 }, (_, at) => summary(at + 1, 'Mail delayed'));
    expect(alike('mail', many)).toHaveLength(3);
    expect(words('x '.repeat(100_000)).size).toBeLessThan(2);
  });
});

describe('the palette', () => {
  const run = () => {};
  const commands = [
    { id: 'board', title: 'Go to the board', run },
    { id: 'declare', title: 'Declare an incident', run },
  ];
  const open = [
    summary(4, 'Mail'),
    summary(46, 'Search'),
    summary(465, 'Checkout', { services: ['search'] }),
  ];
  const said = (typed: string) =>
    find(typed, commands, open).map((one) => (one.is === 'command' ? one.command.id : one.number));

  test('lists everything before anything is typed', () => {
    expect(said('')).toEqual(['board', 'declare', 4, 46, 465]);
  });
  test('finds by words, in any order', () => {
    expect(said('board go')).toEqual(['board']);
    expect(said('search')).toEqual([46, 465]);
    expect(said('nothing such')).toEqual([]);
  });
  test('finds by number, the exact one first, and one that is in no list', () => {
    expect(said('46')).toEqual([46, 465]);
    expect(said('#46')).toEqual([46, 465]);
    expect(said('7')).toEqual([7]);
  });
});
