// Who wrote which stretch, as Yjs remembers it.
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { byPerson, shares, stretches } from './authors';

const MARTY = { id: 'p1', handle: 'marty', name: 'Marty' };
const EMMA = { id: 'p2', handle: 'emma', name: 'Emma' };
const PEOPLE = new Map([
  [1, MARTY],
  [2, EMMA],
  // Marty, in another window.
  [3, MARTY],
]);
const authorOf = (client: number) => PEOPLE.get(client) ?? null;

/** Writes as this client into what the others wrote. */
function writes(client: number, into: Uint8Array | null, write: (text: Y.Text) => void): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = client;
  if (into) Y.applyUpdate(doc, into);
  write(doc.getText('notes'));
  return Y.encodeStateAsUpdate(doc);
}

function read(update: Uint8Array): Y.Text {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText('notes');
}

test('each stretch is its writer’s, also within another’s and after something was taken out', () => {
  const one = writes(1, null, (text) => text.insert(0, 'First cluster warm.'));
  const two = writes(2, one, (text) => text.insert(13, ' is'));
  const three = writes(3, two, (text) => {
    text.delete(0, 6);
    text.insert(text.length, ' Really.');
  });
  const text = read(three);
  expect(text.toString()).toBe('cluster is warm. Really.');
  const said = byPerson(stretches(text), authorOf).map(({ from, to, author }) => [
    text.toString().slice(from, to),
    author?.handle,
  ]);
  expect(said).toEqual([
    ['cluster', 'marty'],
    [' is', 'emma'],
    [' warm. Really.', 'marty'],
  ]);
  expect(shares(stretches(text), authorOf)).toEqual([
    { author: MARTY, letters: 21 },
    { author: EMMA, letters: 3 },
  ]);
});

test('whose client it is may not be known yet', () => {
  const text = read(writes(9, null, (text) => text.insert(0, 'words')));
  expect(byPerson(stretches(text), authorOf)).toEqual([{ from: 0, to: 5, author: null }]);
  expect(stretches(new Y.Doc().getText('notes'))).toEqual([]);
});

test('looking changes nothing', () => {
  const doc = new Y.Doc();
  const text = doc.getText('notes');
  text.insert(0, 'words');
  let updates = 0;
  doc.on('update', () => (updates += 1));
  stretches(text);
  expect(updates).toBe(0);
});
