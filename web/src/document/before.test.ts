// What a restore of the server must not take from whoever wrote it.
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { before, forget } from './before';
import type { Place } from './database';
import { Kept } from './kept';

const NOW: Place = { person: 'marty', incident: 1, epoch: 'after' };

async function keep(place: Place, words: string, unsent: number | null): Promise<void> {
  const doc = new Y.Doc();
  doc.getText('notes').insert(0, words);
  const kept = await Kept.open(place);
  await kept.write(Y.encodeStateAsUpdate(doc), unsent);
  kept.close();
}

test('words of before a restore that were never sent are had until they are thrown away', async () => {
  await keep({ ...NOW, epoch: 'before' }, 'The pump is dry.', 7);
  await keep({ ...NOW, epoch: 'long before' }, 'It was sent.', null);
  await keep({ ...NOW, incident: 2, epoch: 'before' }, 'Another incident.', 7);
  await keep(NOW, 'Of now.', 7);
  const found = await before(NOW);
  expect(found.map(({ words }) => words)).toEqual(['## Working notes\n\nThe pump is dry.\n']);
  await forget(found[0]!.place);
  expect(await before(NOW)).toEqual([]);
  expect(await before({ ...NOW, epoch: 'before' })).toHaveLength(1);
});
