// Changes that were seen: in which order they are shown, and where they stand in time.
import type { Sighting } from '../api/sightings';

export interface Parted {
  /** What operations have to sort, the oldest first: it waits the longest. */
  unsorted: Sighting[];
  /** Made before impact began, the newest first: the likeliest to have broken something. */
  before: Sighting[];
  /** Everything else, the newest first. */
  others: Sighting[];
}

const newestFirst = (one: Sighting, other: Sighting): number =>
  other.at.localeCompare(one.at) || other.id - one.id;

export function parted(sightings: Sighting[]): Parted {
  const rest = sightings.filter(({ unsorted }) => !unsorted).toSorted(newestFirst);
  return {
    unsorted: sightings.filter(({ unsorted }) => unsorted).toSorted((one, other) => newestFirst(other, one)),
    before: rest.filter(({ before_impact }) => before_impact),
    others: rest.filter(({ before_impact }) => !before_impact),
  };
}

/** "3 changes in the hour before". */
export function beforehand(many: number): string {
  return `${many} ${many === 1 ? 'change' : 'changes'} in the hour before`;
}

/** "3 others, with nothing to sort". */
export function others(many: number): string {
  return `${many} ${many === 1 ? 'other' : 'others'}, with nothing to sort`;
}

const maker = ({ person, who }: Sighting): string | null => person?.id ?? who?.toLowerCase() ?? null;

/** Which of these are dismissed together with one: all by whoever made it, where it is the first of several. */
export function together(one: Sighting, all: Sighting[]): number[] {
  const by = maker(one);
  if (by === null) return [];
  const theirs = all.filter((other) => maker(other) === by && other.may.includes('dismiss'));
  return theirs.length > 1 && theirs[0] === one ? theirs.map(({ id }) => id) : [];
}

/** Whose word that is: GitHub's, or somebody's who told of another's change, or names another as the maker of their own. */
export function word({ person, who, told_by, told_by_github }: Sighting): string {
  if (told_by_github) return 'told by GitHub';
  if (!told_by) return '';
  if (told_by.id !== person?.id) return `by a token of ${told_by.name}`;
  const own = [told_by.handle, told_by.name].map((name) => name.toLowerCase());
  return who === null || own.includes(who.toLowerCase()) ? '' : `naming “${who}”`;
}

export interface Mark {
  id: number;
  /** From the left, in hundredths of the width. */
  x: number;
  kind: 'unsorted' | 'before' | 'other';
}

/** Where each stands between an hour before impact began and now, and where impact began. */
export function strip(sightings: Sighting[], began: string, now: Date): { marks: Mark[]; impact: number } {
  const impact = Date.parse(began);
  const from = Math.min(impact - 3_600_000, ...sightings.map(({ at }) => Date.parse(at)));
  const whole = Math.max(now.getTime(), impact + 60_000) - from;
  // Nothing stands on the very edge, where half of it would be cut off.
  const x = (at: number): number => 2 + (96 * Math.min(Math.max(at - from, 0), whole)) / whole;
  const kind = ({ unsorted, before_impact }: Sighting): Mark['kind'] =>
    unsorted ? 'unsorted' : before_impact ? 'before' : 'other';
  const marks = sightings.map((one) => ({ id: one.id, x: x(Date.parse(one.at)), kind: kind(one) }));
  return { marks, impact: x(impact) };
}
