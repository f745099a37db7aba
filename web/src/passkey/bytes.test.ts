// Bytes, and names.
import { expect, test } from 'vitest';
import { base64, bytes, isBare } from './bytes';

test('bytes go over the wire in base64url, without padding', () => {
  for (const [plain, text] of [
    [[], ''],
    [[0], 'AA'],
    [[251, 255, 191], '-_-_'],
    [[1, 2, 3, 4, 5], 'AQIDBAU'],
  ] as const) {
    expect(base64(Uint8Array.from(plain).buffer)).toBe(text);
    expect([...bytes(text)]).toEqual(plain);
  }
});

test('a bare address is told from a name', () => {
  expect(['127.0.0.1', '[::1]', '10.0.0.7'].map(isBare)).toEqual([true, true, true]);
  expect(['localhost', 'wardroom.example.org', '1.example'].map(isBare)).toEqual([false, false, false]);
});
