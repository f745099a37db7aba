// The words and signs for a piece of evidence: what it is, how large, and how its name is said.
import type { Entry, Person, Time } from '../api/types';

/** A piece that is kept, as GET /incidents/N/evidence lists it. Words are null where they cannot be read. */
export interface Piece {
  entry: number;
  sha256: string;
  address: string;
  name: string | null;
  why: string | null;
  /** What its bytes are, whatever its name says. */
  media_type: string;
  bytes: number;
  /** Null where it was kept by itself. */
  by: Person | null;
  at: Time;
}

/** Of a piece that was taken out, only this is left. */
export interface Gone {
  entry: number;
  by: string;
  at: Time;
}

/** A picture that weighs more is not loaded to be shown small, in bytes. */
const THUMBNAIL_MAX = 2 * 1024 * 1024;
/** The longest name in a sentence, in letters. */
const NAME = 60;

const KINDS: Record<string, string> = {
  'image/png': 'PNG picture',
  'image/jpeg': 'JPEG picture',
  'image/gif': 'GIF picture',
  'image/webp': 'WebP picture',
  'text/plain': 'text',
};

/** What it is, in words. */
export const kindOf = ({ media_type }: Piece): string => KINDS[media_type] ?? 'file';

/** The server serves it as a picture, and a browser may show it. */
export const isPicture = ({ media_type }: Piece): boolean =>
  media_type.startsWith('image/') && media_type in KINDS;

/** Whether it is shown small. */
export const hasThumbnail = (piece: Piece): boolean => isPicture(piece) && piece.bytes <= THUMBNAIL_MAX;

/** What stands where others have a picture: how its name ends, or what it is. */
export function signOf({ name, media_type }: Piece): string {
  const end = /\.([a-z0-9]{1,4})$/i.exec(name ?? '')?.[1];
  return (
    end ?? (media_type === 'text/plain' ? 'txt' : media_type.startsWith('image/') ? 'pic' : 'bin')
  ).toUpperCase();
}

/** A number of bytes for people, as the server says it: "34 KB". */
export function sized(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${Math.ceil(bytes / 1024)} KB`;
  const [unit, called] = bytes < 1024 ** 3 ? [1024 ** 2, 'MB'] : [1024 ** 3, 'GB'];
  return `${(Math.ceil((bytes * 10) / unit) / 10).toFixed(1)} ${called}`;
}

/** How many there are, and what they weigh together. */
export function counted(pieces: Piece[]): string {
  if (pieces.length === 0) return '';
  return `${pieces.length}, ${sized(pieces.reduce((sum, { bytes }) => sum + bytes, 0))}`;
}

/** A name in a sentence. */
export const brief = (name: string): string => (name.length > NAME ? `${name.slice(0, NAME)}…` : name);

/** What is kept, and of what was taken out as much as is loaded of the timeline; the newest first. */
export function rows(pieces: Piece[], entries: Entry[]): (Piece | Gone)[] {
  const there = new Set(pieces.map(({ entry }) => entry));
  const gone = entries
    .filter(
      ({ kind, body, entry }) =>
        kind === 'evidence_attached' && typeof body.sha256 !== 'string' && !there.has(entry),
    )
    .map(({ entry, actor, at }): Gone => ({ entry, by: actor, at }));
  return [...pieces, ...gone].sort((one, other) => other.entry - one.entry);
}
