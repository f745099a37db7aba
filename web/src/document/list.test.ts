// Exit criteria and to-dos in one shape, and what is asked of the server with them.
import { expect, test } from 'vitest';
import type { Criterion, Todo } from '../api/document';
import { asked, bugName, ofCriterion, ofTodo, openFirst, stands, withBug } from './list';

const marty = { id: 'p1', handle: 'marty', name: 'Marty' };
const todo = (id: number, done: boolean): Todo => ({
  id,
  text: 'Warm the cache',
  text_entry: 4,
  owner: null,
  owner_entry: 7,
  bug: null,
  bug_entry: null,
  by: marty,
  at: '2026-11-26T03:00:00Z',
  done_by: done ? marty : null,
  done_at: done ? '2026-11-26T03:10:00Z' : null,
  may: done ? ['reopen', 'link'] : ['take', 'finish'],
});

test('what is open comes first, and nothing else moves', () => {
  const items = [todo(1, true), todo(2, false), todo(3, true), todo(4, false)].map(ofTodo);
  expect(openFirst(items).map(({ id }) => id)).toEqual([2, 4, 1, 3]);
  expect(items[1]?.may).toEqual(['take', 'settle']);
});

test('a waived criterion is neither open nor done', () => {
  const criterion: Criterion = {
    ...{ id: 1, text: 'Errors below 0.1 %', by: marty, at: '2026-11-26T03:00:00Z' },
    ...{ text_entry: 4, owner: null, owner_entry: null, bug: null, bug_entry: null },
    ...{
      state: 'waived',
      settled_by: marty,
      settled_at: '2026-11-26T03:10:00Z',
      reason: 'that cell is gone',
    },
    may: ['reopen', 'link'],
  };
  expect(ofCriterion(criterion)).toMatchObject({
    state: 'waived',
    settledBy: marty,
    may: ['reopen', 'link'],
  });
  expect(ofCriterion({ ...criterion, state: 'met', may: ['meet'] })).toMatchObject({
    state: 'done',
    may: ['settle'],
  });
});

test('what is asked of the server', () => {
  expect(asked({ kind: 'todo', id: 3 }, 'settle')).toEqual({ command: 'finish_todo', todo: 3 });
  expect(asked({ kind: 'criterion', id: 2 }, 'reopen')).toEqual({
    command: 'reopen_criterion',
    criterion: 2,
    reason: null,
  });
  expect(asked({ kind: 'criterion', id: 2 }, 'waive', { reason: 'gone' })).toEqual({
    command: 'waive_criterion',
    criterion: 2,
    reason: 'gone',
  });
});

test('what something replaces is what was said of the same', () => {
  const item = ofTodo(todo(1, false));
  expect(stands(item, 'reword')).toBe(4);
  expect(stands(item, 'assign')).toBe(7);
  expect(stands(item, 'link')).toBe(null);
});

test.each([
  ['Warm the cache', 'Warm the cache', null],
  [' Fix it  https://bugs.example/7 ', 'Fix it', 'https://bugs.example/7'],
  ['https://bugs.example/7', 'https://bugs.example/7', null],
  ['see https://bugs.example/7 first', 'see https://bugs.example/7 first', null],
  ['Fix it http://bugs.example/7', 'Fix it http://bugs.example/7', null],
])('a link at the end of %j is its bug', (line, text, bug) => {
  expect(withBug(line)).toEqual({ text, bug });
});

test.each([
  ['https://bugs.example/5554823', '5554823'],
  ['https://bugs.example/show?id=77', '77'],
  ['https://bugs.example/', 'bugs.example'],
  ['https://bugs.example/a-very-long-name-that-nobody-can-read', 'bugs.example'],
])('%s is called %s', (link, name) => {
  expect(bugName(link)).toBe(name);
});
