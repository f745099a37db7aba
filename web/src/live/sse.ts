// Server-sent events, read from a stream of text: https://html.spec.whatwg.org/#parsing-an-event-stream

export interface Sent {
  /** What to resume after. */
  id: string | null;
  event: string;
  data: string;
}

/** Takes text as it arrives, cut anywhere, and gives back the events that are whole. */
export class Parser {
  #rest = '';
  #started = false;
  #id: string | null = null;
  #event = '';
  #data: string[] = [];

  take(text: string): Sent[] {
    if (!this.#started && text !== '') {
      this.#started = true;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    this.#rest += text;
    const sent: Sent[] = [];
    // A carriage return at the very end may be the first half of a line end: it waits.
    const lines = /([^\r\n]*)(\r\n|\n|\r(?!$))/y;
    let read = 0;
    for (let line = lines.exec(this.#rest); line; line = lines.exec(this.#rest)) {
      read = lines.lastIndex;
      const whole = this.#line(line[1] ?? '');
      if (whole) sent.push(whole);
    }
    this.#rest = this.#rest.slice(read);
    return sent;
  }

  #line(line: string): Sent | null {
    if (line === '') {
      const sent = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
      const empty = this.#data.length === 0;
      this.#data = [];
      this.#event = '';
      return empty ? null : sent;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }
}
