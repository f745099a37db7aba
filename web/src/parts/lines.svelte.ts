// Lines that are typed one after the other, each on its way while the next is being typed: whoever has three things to
// write down does not wait. None of them is lost: what was refused comes back.

export interface Line {
  words: string;
  /** What was chosen beside the field, and goes with its line: who made a change. Nothing where nothing was. */
  beside: string;
}

/** What sends one; whether it was taken. */
type Send = (line: Line) => Promise<boolean>;

export class Lines {
  /** What stands in the field. */
  typed = $state('');
  /** What is chosen beside it. */
  beside = $state('');
  /** What was not taken, and comes back into the field when that is free, one after the other. */
  back: Line[] = $state.raw([]);
  /** What is on its way, in its order. */
  #waiting: { line: Line; send: Send }[] = [];
  /** What was refused last, as it was sent. */
  #refused: Line = { words: '', beside: '' };

  /** Takes what stands in the field on its way, behind what is on its way already. */
  async take(send: Send): Promise<void> {
    const words = this.typed.trim();
    if (!words) return;
    const { beside } = this;
    [this.typed, this.beside] = ['', ''];
    await this.#go({ words, beside }, send);
  }

  /** Sends what was refused another way: as it stands in the field by now, or as it waits for the field to be free. What is
   * typed meanwhile is another line, and stays. */
  async again(send: Send): Promise<void> {
    const at = this.back.indexOf(this.#refused);
    if (at >= 0) {
      this.back = this.back.toSpliced(at, 1);
      return await this.#go(this.#refused, send);
    }
    if (!this.typed.trim()) this.#into(this.#refused);
    await this.take(send);
  }

  async #go(line: Line, send: Send): Promise<void> {
    this.#waiting.push({ line, send });
    if (this.#waiting.length > 1) return;
    try {
      for (let first = this.#waiting[0]; first && (await first.send(first.line)); first = this.#waiting[0])
        this.#waiting.shift();
    } finally {
      // The first of them was refused, and the others must not overtake it.
      const refused = this.#waiting.map(({ line }) => line);
      this.#refused = refused[0] ?? this.#refused;
      this.back = [...refused, ...this.back];
      this.#waiting = [];
      const [first, ...rest] = this.back;
      if (first && !this.typed) {
        this.back = rest;
        this.#into(first);
      }
    }
  }

  /** Into the field. */
  #into({ words, beside }: Line): void {
    [this.typed, this.beside] = [words, beside];
  }
}
