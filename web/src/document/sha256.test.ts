import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256';

test('is what others say it is, in whatever pieces it comes', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256);
    const expected = createHash('sha256').update(bytes).digest('hex');
    for (const piece of [1, 7, 64, 4096]) {
      const sha256 = new Sha256();
      for (let at = 0; at < length; at += piece) sha256.update(bytes.subarray(at, at + piece));
      expect(sha256.hex(), `${length} bytes, ${piece} at a time`).toBe(expected);
    }
  }
});
