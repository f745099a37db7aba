// The field's words, as they stand on screen.
import { expect, test } from 'vitest';
import type { IncidentView, Role, RolePath } from '../api/types';
import { hhmm, inOrder, isCall, parentOf, roleName, safeLink, withWhom } from './words';
import { passes } from './timeline';

const role = (path: string, through: RolePath | null = null): Role => ({
  role: path,
  holder: null,
  since: null,
  effective_holder: null,
  held_through: through,
  may: [],
  members: [],
  offer: null,
  asked_by: [],
});
const view = { declared_at: '2026-11-23T15:00:00Z' } as IncidentView;

test('a role is called by its own name', () => {
  expect(roleName('command')).toBe('Incident commander');
  expect(roleName('operations/data-base')).toBe('Data base');
});

test('a role stands under another, and the root under none', () => {
  expect(parentOf('operations/data-base')).toBe('operations');
  expect(parentOf('operations')).toBe('command');
  expect(parentOf('command')).toBeNull();
});

test('what nobody was given is with whoever the server says', () => {
  expect(withWhom(role('operations/data-base', 'operations'), view)).toBe('with operations');
  expect(withWhom(role('planning', 'command'), view)).toBe('with the commander');
  expect(withWhom(role('planning', 'command'), { ...view, declared_at: null })).toBe('with the lead');
  expect(withWhom(role('planning'), view)).toBe('nobody any more');
});

test('roles stand in the order of the tree', () => {
  const paths = ['planning', 'operations/x-eu', 'operations/x/a', 'operations/x', 'communications'];
  const mixed = [...paths, 'command', 'operations'].map((path) => role(path));
  expect(inOrder(mixed).map(({ role }) => role)).toEqual([
    'command',
    'operations',
    'operations/x',
    'operations/x/a',
    'operations/x-eu',
    'communications',
    'planning',
  ]);
});

test('only links that a browser may open are links', () => {
  expect(safeLink('https://chat.example.org')).toBe('https://chat.example.org');
  expect(safeLink('javascript:alert(1)')).toBeNull();
  expect(safeLink(null)).toBeNull();
});

test.each([
  ['call', 'https://meet.example.org/x', true],
  ['ring us', 'tel:+4930123', true],
  ['#inc-465', 'https://chat.example.org/inc-465', false],
  ['call', null, false],
])('whether %s at %s is a call: %s', (label, link, is) => expect(isCall({ label, link })).toBe(is));

test('times stand in UTC', () => expect(hhmm('2026-11-23T15:04:59Z', 'UTC')).toBe('15:04'));

test('a search finds what was told, within the filter', () => {
  const note = {
    cursor: '',
    incident: 1,
    entry: 4,
    at: '',
    actor: '',
    kind: 'noted',
    body: { text: 'Warm' },
    told: 'Marty: Warm',
    matters: false,
    stands_out: false,
  };
  expect(passes(note, 'notes', [], 'warm')).toBe(true);
  expect(passes(note, 'matters', [], '')).toBe(false);
  expect(passes({ ...note, matters: true }, 'matters', [], '')).toBe(true);
  expect(passes(note, 'pinned', [4], '')).toBe(true);
  expect(passes(note, 'everything', [], 'cold')).toBe(false);
});
