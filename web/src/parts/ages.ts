// Time as people say it: how long something has lasted, and how long until it is due.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "a moment", "40 s", "35 min", "2 h 5 min", "3 d 4 h". Seconds go in tens, so that little moves. */
export function span(milliseconds: number): string {
  const long = Math.max(0, milliseconds);
  if (long < 10 * SECOND) return 'a moment';
  if (long < MINUTE) return `${Math.floor(long / SECOND / 10) * 10} s`;
  if (long < HOUR) return `${Math.floor(long / MINUTE)} min`;
  if (long < DAY) return pair(Math.floor(long / HOUR), 'h', Math.floor((long % HOUR) / MINUTE), 'min');
  if (long < 14 * DAY) return pair(Math.floor(long / DAY), 'd', Math.floor((long % DAY) / HOUR), 'h');
  return `${Math.floor(long / DAY)} d`;
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** How long since then. */
export function age(since: string, now: Date): string {
  return span(now.getTime() - Date.parse(since));
}

export function isLate(at: string, now: Date): boolean {
  return now.getTime() >= Date.parse(at);
}

/** "in 11 min", "due now", "4 min late". What is left is rounded up: it is never promised
 * shorter than shown. From an hour on a minute is no promise, and a link for 12 h shall not say "12 h 1 min". */
export function until(at: string, now: Date): string {
  const left = Date.parse(at) - now.getTime();
  if (left <= 0) return left > -10 * SECOND ? 'due now' : `${span(-left)} late`;
  if (left <= 50 * SECOND) return `in ${Math.ceil(left / SECOND / 10) * 10} s`;
  const whole = left < HOUR ? Math.ceil(left / MINUTE) : Math.round(left / MINUTE);
  return `in ${span(whole * MINUTE)}`;
}

const two = (number: number) => String(number).padStart(2, '0');

/** 12:03:07Z */
export function clockTime(at: Date): string {
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}Z`;
}

/** Exactly when, in UTC and in the reader's own zone. */
export function exactly(at: string, zone?: string): string {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return at;
  const utc = `${when.toISOString().slice(0, 10)} ${clockTime(when).slice(0, 8)} UTC`;
  const own = new Intl.DateTimeFormat(undefined, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    ...(zone !== undefined && { timeZone: zone }),
  }).format(when);
  return `${utc} (${own} here)`;
}
