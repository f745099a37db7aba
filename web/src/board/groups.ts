// How the board is parted: what burns first, and apart from it what is not declared, planned, practised, or done.
import type { Severity, Summary } from '../api/types';

export interface Group {
  id: 'incidents' | 'investigations' | 'resolved' | 'planned' | 'drills' | 'ended';
  title: string;
  rows: Summary[];
}

const TITLES: Record<Exclude<Group['id'], 'ended'>, string> = {
  incidents: 'Incidents',
  investigations: 'Not declared',
  resolved: 'Resolved, not closed yet',
  planned: 'Planned',
  drills: 'Drills',
};

const WORST: Record<Severity, number> = { sev1: 1, sev2: 2, sev3: 3, sev4: 4 };

export function isEnded(one: Summary): boolean {
  return one.phase === 'closed' || one.phase === 'merged';
}

function belongs(one: Summary): keyof typeof TITLES {
  if (one.kind === 'drill') return 'drills';
  if (one.phase === 'investigating') return 'investigations';
  if (one.kind === 'planned') return 'planned';
  return one.phase === 'resolved' ? 'resolved' : 'incidents';
}

/** Groups with something in them; in each the worst first, then the newest. */
export function groups(open: Summary[]): Group[] {
  const ids = Object.keys(TITLES) as (keyof typeof TITLES)[];
  const all = ids.map((id) => ({ id, title: TITLES[id], rows: open.filter((one) => belongs(one) === id) }));
  for (const group of all) {
    group.rows.sort((one, other) => WORST[one.severity] - WORST[other.severity] || other.number - one.number);
  }
  return all.filter((group) => group.rows.length > 0);
}
