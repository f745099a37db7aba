// What changed from one text to another, word by word: for people who read it once and have to understand it.

export interface Stretch {
  is: 'same' | 'new' | 'gone';
  text: string;
}

/** More changes than this are shown as a text that was written anew: nobody would follow them, and finding them takes
 * their number squared. */
const CHANGES_MAX = 1_000;

/** Finding the words of every language takes its time: in what is longer, blanks and signs have to do. */
const LETTERS_MAX = 20_000;

const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'word' }) : null;

/** Words, and what stands between them. */
function words(text: string): string[] {
  if (segmenter && text.length <= LETTERS_MAX)
    return Array.from(segmenter.segment(text), ({ segment }) => segment);
  return text.match(/[\p{L}\p{M}\p{N}]+|\s+|[^\p{L}\p{M}\p{N}\s]/gu) ?? [];
}

export function differences(before: string, after: string): Stretch[] {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  // Words are compared whole.
  while (from > 0 && from < Math.max(before.length, after.length) && !/\s/.test(before[from - 1]!)) from -= 1;
  let tail = 0;
  while (tail < shorter - from && before.at(-tail - 1) === after.at(-tail - 1)) tail += 1;
  while (tail > 0 && !/\s/.test(before.at(-tail)!)) tail -= 1;
  const [gone, fresh] = [before.slice(from, before.length - tail), after.slice(from, after.length - tail)];
  const middle = changes(words(gone), words(fresh)) ?? [
    { is: 'gone', text: gone },
    { is: 'new', text: fresh },
  ];
  const same = (text: string): Stretch => ({ is: 'same', text });
  return readable([same(before.slice(0, from)), ...middle, same(before.slice(before.length - tail))]);
}

/** So many lines are shown of what did not change, beside what did. */
const LINES = 2;

/** What is far from every change is left out, with how many lines that are. */
export function nearby(stretch: Stretch, at: number, all: Stretch[]): Stretch {
  if (stretch.is !== 'same') return stretch;
  const lines = stretch.text.split('\n');
  // Beside a change stands the rest of its line, too. What ends with the end of a line has no line after that.
  const above = at > 0 ? LINES + 1 : 0;
  const below = at < all.length - 1 ? LINES + 1 : lines.at(-1) === '' ? 1 : 0;
  const out = lines.length - above - below;
  // To leave out one line and say so is as long as showing it.
  if (out < 2) return stretch;
  const gap = `[ ${out} lines as before ]`;
  const shown = [...lines.slice(0, above), gap, ...lines.slice(lines.length - below)];
  return { is: 'same', text: shown.join('\n') };
}

/** The fewest words that are taken out and put in (E. W. Myers, An O(ND) Difference Algorithm, 1986), one by one; null
 * when they are too many. */
function changes(old: string[], now: string[]): Stretch[] | null {
  const longest = Math.min(CHANGES_MAX, old.length + now.length);
  const middle = longest + 1;
  // How far one comes in `old` on each diagonal, with so many changes.
  const reach = new Int32Array(2 * longest + 3);
  const steps: Int32Array[] = [];
  for (let count = 0; count <= longest; count += 1) {
    steps.push(reach.slice(middle - count - 1, middle + count + 2));
    for (let diagonal = -count; diagonal <= count; diagonal += 2) {
      const [above, beside] = [reach[middle + diagonal + 1]!, reach[middle + diagonal - 1]!];
      let at = diagonal === -count || (diagonal !== count && beside < above) ? above : beside + 1;
      while (at < old.length && at - diagonal < now.length && old[at] === now[at - diagonal]) at += 1;
      reach[middle + diagonal] = at;
      if (at >= old.length && at - diagonal >= now.length) return back(old, now, steps);
    }
  }
  return null;
}

/** Walks back the way that was found. */
function back(old: string[], now: string[], steps: Int32Array[]): Stretch[] {
  const way: Stretch[] = [];
  let [at, to] = [old.length, now.length];
  for (let count = steps.length - 1; count >= 0; count -= 1) {
    const reach = (diagonal: number): number => steps[count]![diagonal + count + 1]!;
    const diagonal = at - to;
    const down = diagonal === -count || (diagonal !== count && reach(diagonal - 1) < reach(diagonal + 1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const [left, top] = count === 0 ? [0, 0] : [reach(before), reach(before) - before];
    while (at > left && to > top) {
      way.push({ is: 'same', text: old[at - 1]! });
      [at, to] = [at - 1, to - 1];
    }
    if (count === 0) break;
    way.push(down ? { is: 'new', text: now[top]! } : { is: 'gone', text: old[left]! });
    [at, to] = [left, top];
  }
  return way.reverse();
}

/** What changed together is told together: what is gone, and then what is there instead. A blank between two changes
 * belongs to both. */
function readable(stretches: Stretch[]): Stretch[] {
  const told: Stretch[] = [];
  let [gone, fresh] = ['', ''];
  const tell = (): void => {
    if (gone) told.push({ is: 'gone', text: gone });
    if (fresh) told.push({ is: 'new', text: fresh });
    [gone, fresh] = ['', ''];
  };
  const joined = stretches.reduce<Stretch[]>((all, { is, text }) => {
    const last = all.at(-1);
    if (last?.is === is) last.text += text;
    else if (text) all.push({ is, text });
    return all;
  }, []);
  joined.forEach(({ is, text }, at) => {
    const between = at > 0 && at < joined.length - 1 && /^[^\S\n]+$/.test(text);
    if (is !== 'new' && (is === 'gone' || between)) gone += text;
    if (is !== 'gone' && (is === 'new' || between)) fresh += text;
    if (is === 'same' && !between) {
      tell();
      told.push({ is, text });
    }
  });
  tell();
  return told;
}
