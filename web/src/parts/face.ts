// A person as two letters on one of six colours.

const FACES = 6;
// Marks that turn the direction of text around, or cannot be seen, are no initials.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu;

/** "Doc Brown" is DB, "Sabrina" is SA. */
export function initials(name: string): string {
  // The start is enough, however long the name.
  const words = name.slice(0, 500).replace(UNSEEN, '').trim().split(/\s+/u).filter(Boolean);
  const first = letters(words[0] ?? '');
  const last = words.length > 1 ? letters(words.at(-1) ?? '') : [];
  const both = last.length > 0 ? [first[0], last[0]] : first.slice(0, 2);
  return both.filter(Boolean).join('').toUpperCase() || '?';
}

function letters(word: string): string[] {
  const all = [...new Intl.Segmenter().segment(word)].map((part) => part.segment);
  const spoken = all.filter((letter) => /[\p{L}\p{N}]/u.test(letter));
  // A name of nothing but an emoji is still a name.
  return spoken.length > 0 ? spoken : all.slice(0, 1);
}

/** Which of the six colours: always the same one for the same person. */
export function colour(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  // The high bits are mixed in: the low ones of near ids are near each other.
  return (((hash ^ (hash >>> 15)) >>> 0) % FACES) + 1;
}
