// What stands in the editor in place of signs: a box to tick, an arrow that opens a link, a picture, an entry.
import { type EditorView, WidgetType } from '@codemirror/view';

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  words = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = words;
  return made;
}

/** The box of a task. Ticking it changes the text, for everybody. */
export class Box extends WidgetType {
  constructor(
    readonly done: boolean,
    readonly task: string,
    readonly still: boolean,
  ) {
    super();
  }

  override eq(other: Box): boolean {
    return other.done === this.done && other.task === this.task && other.still === this.still;
  }

  override toDOM(view: EditorView): HTMLElement {
    const box = element('input', 'md-box');
    box.type = 'checkbox';
    box.checked = this.done;
    box.disabled = this.still;
    box.setAttribute('aria-label', this.task || 'task');
    box.addEventListener('change', () => {
      const at = view.posAtDOM(box);
      tick(view, at);
      // What the text says counts; it is drawn anew from that.
      box.checked = this.done;
    });
    return box;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Ticks or clears the `[ ]` that begins here. Whether there was one. */
export function tick(view: EditorView, at: number): boolean {
  const box = view.state.sliceDoc(at, at + 3);
  if (!/^\[[ xX]\]$/.test(box) || view.state.readOnly) return false;
  view.dispatch({
    changes: { from: at + 1, to: at + 2, insert: box === '[ ]' ? 'x' : ' ' },
    userEvent: 'input.tick',
  });
  return true;
}

/** Opens a link in a window of its own. */
export class Opener extends WidgetType {
  constructor(
    readonly address: string,
    readonly words: string,
  ) {
    super();
  }

  override eq(other: Opener): boolean {
    return other.address === this.address && other.words === this.words;
  }

  override toDOM(): HTMLElement {
    const link = element('a', 'md-open', '↗');
    link.href = this.address;
    link.target = '_blank';
    link.rel = 'noreferrer';
    link.title = this.address;
    link.setAttribute('aria-label', `Open ${this.words || this.address}`);
    return link;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** A picture from what is kept as evidence here. */
export class Picture extends WidgetType {
  constructor(
    readonly address: string,
    readonly name: string,
  ) {
    super();
  }

  override eq(other: Picture): boolean {
    return other.address === this.address && other.name === this.name;
  }

  override toDOM(view: EditorView): HTMLElement {
    const link = element('a', 'md-picture');
    link.href = this.address;
    link.target = '_blank';
    link.rel = 'noreferrer';
    const picture = element('img', '');
    picture.alt = this.name || 'a picture without a name';
    picture.addEventListener('load', () => view.requestMeasure());
    picture.addEventListener('error', () => {
      picture.replaceWith(`${this.name || 'A picture'}: it could not be shown here.`);
      view.requestMeasure();
    });
    picture.src = this.address;
    link.append(picture);
    return link;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** `#12`, as a way to the entry of the timeline. */
export class EntryLink extends WidgetType {
  constructor(
    readonly entry: number,
    readonly show: (entry: number) => void,
  ) {
    super();
  }

  override eq(other: EntryLink): boolean {
    return other.entry === this.entry;
  }

  override toDOM(): HTMLElement {
    const button = element('button', 'md-entry', `#${this.entry}`);
    button.type = 'button';
    button.setAttribute('aria-label', `Show entry ${this.entry} of the timeline`);
    button.addEventListener('click', () => this.show(this.entry));
    return button;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** A table to be read. To change it, one goes into its text. */
export class Table extends WidgetType {
  constructor(
    readonly rows: string[][],
    readonly from: number,
    readonly still: boolean,
  ) {
    super();
  }

  override eq(other: Table): boolean {
    return other.still === this.still && JSON.stringify(other.rows) === JSON.stringify(this.rows);
  }

  override toDOM(view: EditorView): HTMLElement {
    const around = element('div', 'md-table');
    const table = element('table', '');
    const [head = [], ...body] = this.rows;
    const row = (cells: string[], tag: 'th' | 'td'): HTMLElement => {
      const line = element('tr', '');
      // A row may be shorter than the head, never longer.
      line.append(...head.map((_, at) => element(tag, '', cells[at] ?? '')));
      return line;
    };
    const [top, rest] = [element('thead', ''), element('tbody', '')];
    top.append(row(head, 'th'));
    rest.append(...body.map((cells) => row(cells, 'td')));
    table.append(top, rest);
    around.append(table);
    if (!this.still) {
      const change = element('button', 'md-change', 'Change the table');
      change.type = 'button';
      change.addEventListener('click', () => {
        view.dispatch({ selection: { anchor: view.posAtDOM(around) }, scrollIntoView: true });
        view.focus();
      });
      around.append(change);
    }
    return around;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
