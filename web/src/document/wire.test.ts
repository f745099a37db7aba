// The wire, against y-protocols itself: what we write it reads, and what it writes we read.
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import * as wire from './wire';

function documentOf(words: string): Y.Doc {
  const doc = new Y.Doc();
  doc.getText('notes').insert(0, words);
  return doc;
}

test('y-protocols understands what we ask and answers what we read', () => {
  const theirs = documentOf('what is known');
  const answer = encoding.createEncoder();
  encoding.writeVarUint(answer, 0);
  const asked = decoding.createDecoder(wire.step1(Y.encodeStateVector(new Y.Doc())));
  expect(decoding.readVarUint(asked)).toBe(0);
  readSyncMessage(asked, answer, theirs, null);
  const heard = wire.read(encoding.toUint8Array(answer));
  if (heard.is !== 'step2') throw new Error(heard.is);
  const ours = new Y.Doc();
  Y.applyUpdate(ours, heard.update);
  expect(ours.getText('notes').toString()).toBe('what is known');
});

test.each(['step2', 'update'] as const)('y-protocols takes our %s', (kind) => {
  const theirs = new Y.Doc();
  const from = decoding.createDecoder(wire[kind](Y.encodeStateAsUpdate(documentOf('from here'))));
  decoding.readVarUint(from);
  readSyncMessage(from, encoding.createEncoder(), theirs, null);
  expect(theirs.getText('notes').toString()).toBe('from here');
});

test('we read the first step and the updates of y-protocols', () => {
  const doc = documentOf('words');
  const framed = (write: (to: encoding.Encoder) => void) => {
    const to = encoding.createEncoder();
    encoding.writeVarUint(to, 0);
    write(to);
    return wire.read(encoding.toUint8Array(to));
  };
  expect(framed((to) => writeSyncStep1(to, doc))).toEqual({
    is: 'step1',
    vector: Y.encodeStateVector(doc),
  });
  const update = Y.encodeStateAsUpdate(doc);
  expect(framed((to) => writeUpdate(to, update))).toEqual({ is: 'update', update });
});

function told(type: number, write: (to: encoding.Encoder) => void): wire.Heard {
  const to = encoding.createEncoder();
  encoding.writeVarUint(to, type);
  write(to);
  return wire.read(encoding.toUint8Array(to));
}

test('we read what only Wardroom says', () => {
  expect(told(100, (to) => encoding.writeVarUint(to, 300))).toEqual({ is: 'saved', count: 300 });
  const why = 'This incident is closed.';
  const no = (to: encoding.Encoder) => (encoding.writeVarUint(to, 0), encoding.writeVarString(to, why));
  expect(told(101, no)).toEqual({ is: 'may', may: false, why });
  const authors = { '7': { id: 'p1', handle: 'marty', name: 'Marty' } };
  expect(told(102, (to) => encoding.writeVarString(to, JSON.stringify(authors)))).toEqual({
    is: 'authors',
    authors,
  });
  const parts = { status: { at: '2026-11-26T03:00:00Z', by: authors['7'] } };
  const clock = (to: encoding.Encoder) => {
    encoding.writeVarUint(to, 12);
    encoding.writeVarString(to, JSON.stringify(parts));
  };
  expect(told(103, clock)).toEqual({ is: 'clock', version: 12, parts });
});

test('what a newer server says besides is no mistake, and what is no message is one', () => {
  expect(told(117, () => undefined)).toEqual({ is: 'other', type: 117 });
  for (const bytes of [[], [0], [0, 9, 0], [0, 2, 200], [100], [101, 1], [102, 1, 0x7b], [1, 5, 0]])
    expect(() => wire.read(new Uint8Array(bytes)), String(bytes)).toThrow();
});
