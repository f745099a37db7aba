import { expect, test } from 'vitest';
import type { Change, ChangeAct } from '../api/changes';
import type { Entry } from '../api/types';
import { asked, buttons, count, pieces, sorted, spoken, stands, wayBack } from './ledger';

const person = { id: 'p1', name: 'Marty', handle: 'marty', guest: false, scripted: false };

function change(id: number, more: Partial<Change> = {}): Change {
  return {
    id,
    service: 'search',
    unknown_service: false,
    what: 'rolled back',
    what_entry: id,
    why: null,
    how: null,
    back: null,
    back_entry: null,
    through: null,
    passed: [],
    maker: null,
    made_by: null,
    by: person,
    at: '2026-01-05T03:00:00Z',
    done_at: '2026-01-05T03:00:00Z',
    coordination: 'by_operations',
    state: 'done',
    state_by: person,
    state_at: '2026-01-05T03:00:00Z',
    note: null,
    bug: null,
    evidence: null,
    may: [],
    ...more,
  };
}

const acts = (list: { act: ChangeAct }[]): ChangeAct[] => list.map(({ act }) => act);

test('what somebody would do first is a button, and nothing that they may not do is there', () => {
  const announced = buttons(change(1, { state: 'announced', may: ['done', 'failed', 'drop', 'correct'] }));
  expect(acts(announced.first)).toEqual(['done', 'failed', 'drop']);
  expect(acts(announced.further)).toEqual(['correct']);
  const theirs = buttons(
    change(1, { coordination: 'uncoordinated', may: ['take_in', 'revert', 'dismiss', 'failed'] }),
  );
  expect(acts(theirs.first)).toEqual(['take_in', 'revert', 'dismiss']);
  expect(acts(theirs.further)).toEqual(['failed']);
  expect(buttons(change(1))).toEqual({ first: [], further: [] });
  const over = buttons(
    change(1, { state: 'adopted', coordination: 'sorted', may: ['revert', 'differs_again'] }),
  );
  expect(acts(over.first)).toEqual([]);
  expect(acts(over.further)).toEqual(['revert', 'differs_again']);
});

test('what differs stands in the order of undoing, what is over behind it, newest first', () => {
  const changes = [
    change(1),
    change(2, { state: 'reverted' }),
    change(3, { state: 'announced' }),
    change(4),
    change(5, { state: 'adopted' }),
  ];
  const ids = (list: Change[]): number[] => list.map(({ id }) => id);
  const { announced, differs, over } = sorted(changes, [
    { service: 'search', unknown: false, changes: [4, 1] },
  ]);
  expect([ids(announced), ids(differs), ids(over)]).toEqual([[3], [4, 1], [5, 2]]);
});

test('who said how it stands is told where that says more than that it was done', () => {
  const emma = { ...person, id: 'p2', name: 'Emma' };
  expect(stands(change(1))).toBe(null);
  expect(stands(change(1, { state: 'announced', state_by: emma }))).toBe(null);
  expect(stands(change(1, { state_by: emma }))).toBe('done, says');
  expect(stands(change(1, { note: 'exit code 0' }))).toBe('done, says');
  expect(stands(change(1, { evidence: 7 }))).toBe('done, says');
  expect(stands(change(1, { state: 'reverted' }))).toBe('reverted by');
  expect(stands(change(1, { state: 'handed_on', bug: 'https://bugs.example/9' }))).toBe('handed to a bug by');
});

test('what is asked of the server says how it went, and what is said anew', () => {
  expect(asked(change(7), 'drop')).toMatchObject({
    command: 'confirm_change',
    change: 7,
    outcome: 'dropped',
  });
  expect(asked(change(7), 'revert')).toEqual({
    command: 'revert_change',
    change: 7,
    note: null,
    evidence: null,
  });
  expect(asked(change(7), 'failed', { note: 'no quota', evidence: 9 })).toEqual({
    command: 'confirm_change',
    change: 7,
    outcome: 'failed',
    note: 'no quota',
    evidence: 9,
  });
  expect(asked(change(7), 'adopt', { reason: 'better' })).toEqual({
    command: 'adopt_change',
    change: 7,
    reason: 'better',
  });
  expect(asked(change(7), 'differs_again').command).toBe('differs_again');
});

test('what was done is read aloud with its words, as far as there are any', () => {
  expect(spoken(change(1), 'revert')).toBe('Reverted: search, rolled back.');
  expect(spoken(change(1, { what: null }), 'done')).toBe('Done: search, (redacted).');
});

test('how many services differ is said in words', () => {
  const one = { service: 'a', unknown: false, changes: [1] };
  expect([count([]), count([one]), count([one, one])]).toEqual(['', '1 service', '2 services']);
});

test('what was attached lately can show how a change came out, and nothing that was taken out', () => {
  const entry = (entry: number, sha256: string | null): Entry =>
    ({
      entry,
      kind: 'evidence_attached',
      body: { sha256, name: `graph ${entry}`, media_type: 'image/png' },
    }) as unknown as Entry;
  const all = Array.from({ length: 25 }, (_, at) => entry(at + 1, at === 23 ? null : 'ab'));
  const other = { entry: 26, kind: 'noted', body: { text: 'x' } } as unknown as Entry;
  const shown = pieces([...all, other], 1);
  expect(shown.slice(0, 2)).toEqual([
    { entry: 25, name: 'graph 25' },
    { entry: 23, name: 'graph 23' },
  ]);
  expect(shown).toHaveLength(20);
});

test('whoever looks on is not told to undo anything', () => {
  expect([wayBack(1, false), wayBack(3, false)].every((words) => words.startsWith('Operations undo'))).toBe(
    true,
  );
  expect(wayBack(1, true)).toBe('Undo it, and say when it is reverted.');
  expect(wayBack(2, true)).toContain('in this order');
});
