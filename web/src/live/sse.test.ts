// The parser of server-sent events, against the cases of the specification and every way to cut the bytes.
import { describe, expect, test } from 'vitest';
import { Parser } from './sse';

const all = (...chunks: string[]) => {
  const parser = new Parser();
  return chunks.flatMap((chunk) => parser.take(chunk));
};

describe('the event stream', () => {
  test('an event ends at an empty line, and carries its id and kind', () => {
    expect(all('id: e.7\nevent: entry\ndata: {"a":1}\n\n')).toEqual([
      { id: 'e.7', event: 'entry', data: '{"a":1}' },
    ]);
  });

  test('comments and unknown fields are left out', () => {
    expect(all(': connected\nretry: 1000\n\n: still here\n\n')).toEqual([]);
  });

  test('an event that has not ended is not given out', () => {
    expect(all('data: half')).toEqual([]);
    expect(all('data: half\n')).toEqual([]);
  });

  test('several lines of data are one text', () => {
    expect(all('data: one\ndata\ndata:  two\n\n')[0]?.data).toBe('one\n\n two');
  });

  test('the id stays until another one comes', () => {
    expect(all('id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n').map((sent) => sent.id)).toEqual([
      '1',
      '1',
      '2',
    ]);
  });

  test('an id with a NUL in it is none', () => {
    expect(all('id: a\0b\ndata: x\n\n')[0]?.id).toBeNull();
  });

  test('a byte order mark at the start is left out, and kept anywhere else', () => {
    expect(all('\uFEFFdata: \uFEFFx\n\n')[0]?.data).toBe('\uFEFFx');
  });

  test.each(['\n', '\r\n', '\r'])('lines may end in %j, cut anywhere', (end) => {
    const text =
      ['id: 9', 'event: entry', 'data: Größe 🎉', '', ': beat', '', 'data: x', '', ''].join(end) + end;
    const whole = all(text + 'data');
    expect(whole.map((sent) => sent.data)).toEqual(['Größe 🎉', 'x']);
    for (let at = 0; at <= text.length; at++) {
      expect(all(text.slice(0, at), text.slice(at) + 'data')).toEqual(whole);
    }
    expect(all(...text, 'data')).toEqual(whole);
  });
});
