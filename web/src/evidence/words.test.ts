import { expect, test } from 'vitest';
import type { Entry } from '../api/types';
import { type Piece, brief, counted, hasThumbnail, kindOf, rows, signOf, sized } from './words';

function piece(entry: number, more: Partial<Piece> = {}): Piece {
  return {
    entry,
    sha256: '0f'.repeat(32),
    address: `/api/v1/incidents/1/evidence/${'0f'.repeat(32)}`,
    name: 'errors.log',
    why: null,
    media_type: 'text/plain',
    bytes: 12,
    by: null,
    at: '2026-01-05T03:00:00Z',
    ...more,
  };
}

const attached = (entry: number, sha256: string | null): Entry =>
  ({
    entry,
    kind: 'evidence_attached',
    actor: 'p1',
    at: '2026-01-05T03:00:00Z',
    body: { sha256 },
  }) as unknown as Entry;

test('bytes are said as the server says them', () => {
  expect([0, 1, 1023, 1024, 1025, 1024 ** 2, 1.5 * 1024 ** 3].map(sized)).toEqual([
    '0 bytes',
    '1 byte',
    '1023 bytes',
    '1 KB',
    '2 KB',
    '1.0 MB',
    '1.5 GB',
  ]);
  expect(counted([])).toBe('');
  expect(counted([piece(1), piece(2, { bytes: 2048 })])).toBe('2, 3 KB');
});

test('what a piece is, its bytes say; a browser is given nothing else than small pictures to show', () => {
  const page = piece(1, { name: 'evil.png', media_type: 'text/plain' });
  expect([kindOf(page), hasThumbnail(page), signOf(page)]).toEqual(['text', false, 'PNG']);
  const drawn = piece(1, { media_type: 'image/svg+xml' });
  expect([kindOf(drawn), hasThumbnail(drawn)]).toEqual(['file', false]);
  expect(hasThumbnail(piece(1, { media_type: 'image/png' }))).toBe(true);
  expect(hasThumbnail(piece(1, { media_type: 'image/png', bytes: 3 * 1024 ** 2 }))).toBe(false);
  expect(signOf(piece(1, { name: 'core dump', media_type: 'application/octet-stream' }))).toBe('BIN');
});

test('the newest stands first, and what was taken out says so in its place', () => {
  const all = rows([piece(3), piece(7)], [attached(5, null), attached(7, 'ab'), attached(3, null)]);
  expect(all.map(({ entry }) => entry)).toEqual([7, 5, 3]);
  expect(all[1]).toEqual({ entry: 5, by: 'p1', at: '2026-01-05T03:00:00Z' });
  expect(all[2]).toHaveProperty('sha256');
});

test('a long name is cut in a sentence', () => {
  expect(brief('x'.repeat(200))).toBe(`${'x'.repeat(60)}…`);
});
