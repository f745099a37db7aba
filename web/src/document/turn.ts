// A line of what is written becomes a to-do by one key: what is noted while working must not be forgotten there.
import type { EditorView } from '@codemirror/view';
import * as Y from 'yjs';
import { Refused, command } from '../api/client';
import type { Accepted } from '../api/types';
import type { Room } from '../incident/room.svelte';
import { chosenLines } from './acts';

/** Whoever selects more lines than this did not mean a to-do of each. */
const LINES_MAX = 20;

const turning = new WeakSet<EditorView>();

/** Makes to-dos of what is chosen. The words stay where they are, and lead to the entry of the timeline that says what
 * became of them; undoing takes that sign out again. */
export async function turn(
  view: EditorView,
  text: Y.Text,
  room: Room,
  say: (words: string, wrong: boolean) => void,
): Promise<void> {
  if (turning.has(view)) return;
  const chosen = chosenLines(view.state);
  if (chosen.length > LINES_MAX) return say(`Select ${LINES_MAX} lines at the most.`, true);
  // Where a line ends is known whatever others write meanwhile.
  const lines = chosen.map((line) => ({
    ...line,
    place: Y.createRelativePositionFromTypeIndex(text, line.end, -1),
  }));
  let made = 0;
  let all = lines.length;
  turning.add(view);
  try {
    const known = await Promise.all(lines.map(({ entry }) => entry !== null && isTodo(room, entry)));
    const fresh = lines.filter((_, at) => !known[at]);
    all = fresh.length;
    if (all === 0) return say('There is nothing here that is no to-do yet.', false);
    for (const { text: words, bug, place } of fresh) {
      const asked = { command: 'add_todo', text: words, bug, person: null };
      const { last_entry } = await command<Accepted>(`${room.path}/commands`, asked);
      made += 1;
      sign(view, text, place, last_entry);
    }
    say(all === 1 ? 'It is a to-do now.' : `They are ${all} to-dos now.`, false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const how = made === 0 ? 'No to-do was made.' : `${made} of ${all} became to-dos.`;
    say(`${how} ${error.message}`, true);
  } finally {
    turning.delete(view);
    if (made > 0) await room.did();
  }
}

/** Whether a to-do was added by this entry, which may be older than what is loaded. */
async function isTodo(room: Room, entry: number): Promise<boolean> {
  const known = room.entries.find((one) => one.entry === entry);
  return (known ?? (await room.one(entry)))?.kind === 'todo_added';
}

function sign(view: EditorView, text: Y.Text, place: Y.RelativePosition, entry: number): void {
  const at = Y.createAbsolutePositionFromRelativePosition(place, text.doc!)?.index;
  if (at === undefined || view.state.readOnly) return;
  const insert = ` #${entry}`;
  // Whoever went on to another page left the editor, and not the text.
  if (!view.dom.isConnected) return text.insert(at, insert);
  if (at > view.state.doc.length) return;
  const changes = view.state.changes({ from: at, insert });
  // Whoever stands at the end of the line goes on behind it.
  const selection = view.state.selection.map(changes, 1);
  view.dispatch({ changes, selection, userEvent: 'input.todo' });
}
