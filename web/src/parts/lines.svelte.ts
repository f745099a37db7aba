// Lines that are typed one after the other, each on its way while the next is being typed: whoever has three things to
// write down does not wait. None of them is lost: what was refused comes back.

/** What sends one; whether it was taken. */
type Send = (words: string) => Promise<boolean>;

export class Lines {
  /** What stands in the field. */
  typed = $state('');
  /** What was not taken, and comes back into the field when that is free, one after the other. */
  back: string[] = $state.raw([]);
  /** What is on its way, in its order. */
  #waiting: { words: string; send: Send }[] = [];
  /** What was refused last, as it was sent. */
  #refused = '';

  /** Takes what stands in the field on its way, behind what is on its way already. */
  async take(send: Send): Promise<void> {
    const words = this.typed.trim();
    if (!words) return;
    this.typed = '';
    await this.#go(words, send);
  }

  /** Sends what was refused another way: as it stands in the field by now, or as it waits for the field to be free. What is
   * typed meanwhile is another line, and stays. */
  async again(send: Send): Promise<void> {
    const at = this.back.indexOf(this.#refused);
    if (at >= 0) {
      this.back = this.back.toSpliced(at, 1);
      return await this.#go(this.#refused, send);
    }
    if (!this.typed.trim()) this.typed = this.#refused;
    await this.take(send);
  }

  async #go(words: string, send: Send): Promise<void> {
    this.#waiting.push({ words, send });
    if (this.#waiting.length > 1) return;
    try {
      for (let first = this.#waiting[0]; first && (await first.send(first.words)); first = this.#waiting[0])
        this.#waiting.shift();
    } finally {
      // The first of them was refused, and the others must not overtake it.
      const refused = this.#waiting.map(({ words }) => words);
      this.#refused = refused[0] ?? this.#refused;
      this.back = [...refused, ...this.back];
      this.#waiting = [];
      if (!this.typed) [this.typed = '', ...this.back] = this.back;
    }
  }
}
