// The parser of server-sent events, against the cases of the specification and every way to cut the bytes.
import { describe, expect, test } from 'vitest';
import { Parser, type Sent } from './sse';

const all = (...chunks: string[]) => {
  const parser = new Parser();
  return chunks.flatMap((chunk) => parser.take(chunk));
};

/** Draws the same numbers below 1 for the same seed, so that what failed once fails again. */
function drawn(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What streams are made of, and what could confuse whoever reads them. */
const PIECES = [
  ...[
    '\n',
    '\n',
    '\n\n',
    '\n\n',
    '\r',
    '\r',
    '\r\n',
    '\r\n\r\n',
    ':',
    ': ',
    ' ',
    'data',
    'data: ',
    'data:',
    'event: entry',
    'event',
  ],
  ...[
    'id: e.7',
    'id',
    'id: ',
    '\0',
    '\uFEFF',
    'retry: 1',
    '{"a":1}',
    'x',
    'é',
    '🎉',
    '\uD83C',
    '\u2028',
    '\u0085',
    '\v',
  ],
];

/** The specification read plainly, with all of the stream at hand. */
function plainly(stream: string): Sent[] {
  const lines = stream.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.pop(); // It has no end.
  const sent: Sent[] = [];
  let [id, event, data]: [string | null, string, string[]] = [null, '', []];
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
    if (line === '') {
      if (data.length > 0) sent.push({ id, event: event || 'message', data: data.join('\n') });
      [event, data] = ['', []];
    } else if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
  return sent;
}

describe('the event stream', () => {
  test('whatever comes, cut anywhere, reads as the specification says', () => {
    let whole = 0;
    for (let seed = 0; seed < 3_000; seed++) {
      const draw = drawn(seed);
      const below = (end: number) => Math.floor(draw() * end);
      let stream = '';
      for (let left = below(40); left > 0; left--) stream += PIECES[below(PIECES.length)] ?? '';
      stream += '.'; // A carriage return at the very end may be half a line end, and waits.
      const chunks: string[] = [];
      for (let at = 0; at < stream.length;) {
        const end = at + below(7);
        chunks.push(stream.slice(at, end));
        at = end;
      }
      const read = all(...chunks);
      expect(read, `seed ${seed}: ${JSON.stringify(chunks)}`).toEqual(plainly(stream));
      whole += read.length;
    }
    expect(whole).toBeGreaterThan(500);
  });

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
