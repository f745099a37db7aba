// The field's words, as they stand on screen.
import { expect, test } from 'vitest';
import type { IncidentView, Role } from '../api/types';
import { hhmm, heldAbove, inOrder, isAtOrAbove, isCall, parentOf, roleName, safeLink } from './words';
import { passes } from './timeline';

const role = (path: string, holder?: string): Role => ({
  role: path,
  holder: holder === undefined ? null : { id: holder, handle: holder, name: holder },
  since: null,
  effective_holder: null,
  members: [],
  offer: null,
  asked_by: [],
});
const roles = [role('command', 'sabrina'), role('operations', 'marty'), role('operations/data-base')];
const view = { roles, declared_at: '2026-11-23T15:00:00Z' } as IncidentView;

test('a role is called by its own name', () => {
  expect(roleName('command')).toBe('Incident commander');
  expect(roleName('operations/data-base')).toBe('Data base');
});

test('a role stands under another, and the root under none', () => {
  expect(parentOf('operations/data-base')).toBe('operations');
  expect(parentOf('operations')).toBe('command');
  expect(parentOf('command')).toBeNull();
});

test('what nobody was given is with whoever is above', () => {
  expect(heldAbove('operations/data-base', view)).toBe('with operations');
  expect(heldAbove('planning', view)).toBe('with the commander');
  expect(heldAbove('planning', { ...view, declared_at: null })).toBe('with the lead');
});

test('a holder of a role above gives away what hangs under it', () => {
  expect(isAtOrAbove('sabrina', 'operations/data-base', roles)).toBe(true);
  expect(isAtOrAbove('marty', 'operations/data-base', roles)).toBe(true);
  expect(isAtOrAbove('marty', 'command', roles)).toBe(false);
});

test('roles stand in the order of the tree', () => {
  const mixed = ['planning', 'operations/x', 'communications', 'command', 'operations'].map((path) =>
    role(path),
  );
  expect(inOrder(mixed).map(({ role }) => role)).toEqual([
    'command',
    'operations',
    'operations/x',
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
  };
  expect(passes(note, 'notes', [], 'warm')).toBe(true);
  expect(passes(note, 'matters', [], '')).toBe(false);
  expect(passes(note, 'pinned', [4], '')).toBe(true);
  expect(passes(note, 'everything', [], 'cold')).toBe(false);
});
