// What is said of what was written, in every way that it can stand.
import { expect, test } from 'vitest';
import type { Link, Standing } from './provider';
import { type Keeping, ofPart, saying } from './saying';

const LINKS: Link[] = ['connecting', 'live', 'away', 'ended'];
const KEEPINGS: Keeping[] = ['opening', 'kept', 'forbidden', 'full'];
const FULL = 'A part is full.';
const ENDS = [4401, 4403, 4409, 4410, 4412, 4413, 4422].map((code) => ({
  code,
  reason: code === 4413 ? 'Too long.' : '',
}));

function* all(): Generator<[Standing, Keeping, boolean, boolean]> {
  for (const link of LINKS)
    for (const saved of [true, false])
      for (const may of [true, false, null])
        for (const ended of link === 'ended' ? ENDS : [null])
          for (const keeping of KEEPINGS)
            for (const slow of [true, false])
              for (const full of link === 'live' && !saved ? ['', FULL] : [''])
                for (const unread of [true, false])
                  yield [
                    { link, saved, may, why: may === false ? 'It is closed.' : '', full, ended },
                    keeping,
                    slow,
                    unread,
                  ];
}

test('"saved" is said only where the server has it, over a connection that stands', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    const { words } = saying(standing, keeping, slow, unread);
    const claims = /\bsaved\b/i.test(words.replace(/not saved( yet)?/gi, ''));
    if (claims) expect(standing, words).toMatchObject({ link: 'live', saved: true });
    if (ofPart(standing.saved, standing, keeping) === 'saved')
      expect(standing).toMatchObject({ link: 'live', saved: true });
  }
});

test('"kept" is said only where this browser keeps it', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    const { words } = saying(standing, keeping, slow, unread);
    if (/\bkept\b/.test(words + ofPart(standing.saved, standing, keeping)))
      expect(keeping, words).toBe('kept');
  }
});

test('whoever has unsent words is told where they are, whatever else is wrong', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    if (standing.saved || (standing.link === 'live' && standing.may !== false && !standing.full && !slow))
      continue;
    const { words } = saying(standing, keeping, slow, unread);
    expect(words).toMatch(/What you wrote is kept in this browser|what you wrote stands only here/);
  }
});

test('what is in order is said quietly, and what is not has a remedy or passes by itself', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    const { tone, remedy } = saying(standing, keeping, slow, unread);
    if (tone === 'wrong') expect(remedy).not.toBeNull();
    if (standing.link === 'live' && standing.saved && keeping === 'kept') expect(tone).toBe('quiet');
  }
});

test('what does not fit is said, and can be taken out', () => {
  const standing: Standing = { link: 'live', saved: false, may: true, why: '', full: FULL, ended: null };
  const { words, remedy } = saying(standing, 'kept', false);
  expect(words).toContain(FULL);
  expect(remedy).toBe('copy');
  for (const code of [4409, 4410, 4413]) {
    const ended = { code, reason: 'It is too large.' };
    expect(['anew', 'copy']).toContain(saying({ ...standing, link: 'ended', ended }, 'kept', false).remedy);
  }
});

test('a document that this browser never read is not shown as an empty one', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    const { words } = saying(standing, keeping, slow, unread);
    expect(words.includes('has not read this document yet')).toBe(unread && standing.link === 'away');
  }
});

test('where the room has said that there is no connection, the document says only what differs in it', () => {
  for (const [standing, keeping, slow, unread] of all()) {
    if (standing.link !== 'away') continue;
    const { words, tone } = saying(standing, keeping, slow, unread, true);
    expect(words).not.toMatch(/Not connected/);
    expect(tone, words).toBe(keeping === 'kept' && !unread ? 'quiet' : 'mind');
    if (!standing.saved) expect(words).toMatch(/kept in this browser|stands only here/);
    expect(/\bkept\b/.test(words) && keeping !== 'kept', words).toBe(false);
  }
});
