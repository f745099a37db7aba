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
  const became = (entry: number): boolean =>
    room.entries.some((known) => known.entry === entry && known.kind === 'todo_added');
  const lines = chosenLines(view.state, became);
  if (lines.length === 0) return say('There is nothing here that is no to-do yet.', false);
  if (lines.length > LINES_MAX) return say(`Select ${LINES_MAX} lines at the most.`, true);
  // Where a line ends is known whatever others write meanwhile.
  const places = lines.map(({ end }) => Y.createRelativePositionFromTypeIndex(text, end, -1));
  turning.add(view);
  try {
    for (const [at, { text: words, bug }] of lines.entries()) {
      const asked = { command: 'add_todo', text: words, bug, person: null };
      const { last_entry } = await command<Accepted>(`${room.path}/commands`, asked);
      sign(view, text, places[at]!, last_entry);
    }
    say(lines.length === 1 ? 'It is a to-do now.' : `They are ${lines.length} to-dos now.`, false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(`No to-do was made. ${error.message}`, true);
  } finally {
    turning.delete(view);
    await room.did();
  }
}

function sign(view: EditorView, text: Y.Text, place: Y.RelativePosition, entry: number): void {
  const at = Y.createAbsolutePositionFromRelativePosition(place, text.doc!)?.index;
  if (at === undefined || at > view.state.doc.length || view.state.readOnly) return;
  const changes = view.state.changes({ from: at, insert: ` #${entry}` });
  // Whoever stands at the end of the line goes on behind it.
  const selection = view.state.selection.map(changes, 1);
  view.dispatch({ changes, selection, userEvent: 'input.todo' });
}
