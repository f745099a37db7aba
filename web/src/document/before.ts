// Words that were written here before the server was restored from a backup, and never reached it. They are kept under
// the epoch of the log that was, and mixed into nothing: whoever wrote them can take them out.
import * as Y from 'yjs';
import { type Place, unsentOf } from './database';
import { Kept } from './kept';
import { PARTS, TITLES } from './parts';

/** A document of before, as this browser kept it. */
export interface Before {
  place: Place;
  words: string;
}

/** What people wrote, part by part. */
export function markdown(doc: Y.Doc): string {
  const written = PARTS.filter((part) => doc.getText(part).length > 0);
  return written.map((part) => `## ${TITLES[part]}\n\n${doc.getText(part).toString()}\n`).join('\n');
}

/** What is kept of this document from before, with something in it that was not sent. */
export async function before({ person, incident, epoch }: Place): Promise<Before[]> {
  const places = await unsentOf(person);
  const others = places.filter((place) => place.incident === incident && place.epoch !== epoch);
  return await Promise.all(others.map(async (place) => ({ place, words: await words(place) })));
}

/** Throws it away. */
export async function forget(place: Place): Promise<void> {
  const kept = await Kept.open(place);
  await kept.forget();
  kept.close();
}

async function words(place: Place): Promise<string> {
  const kept = await Kept.open(place);
  try {
    const doc = new Y.Doc();
    for (const update of (await kept.read()).updates) Y.applyUpdate(doc, update);
    return markdown(doc);
  } finally {
    kept.close();
  }
}
