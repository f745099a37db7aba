// Up to which entry somebody has looked at an incident, kept in this browser: a briefing starts there.

export class Seen {
  /** The entry up to which the reader had looked when they came. */
  before: number;
  readonly #key: string;

  constructor(number: number, person: string) {
    this.#key = `wardroom.seen.${person}.${number}`;
    this.before = this.#read();
  }

  /** The reader leaves, having looked up to here. */
  keep(entry: number | undefined): void {
    if (entry === undefined) return;
    try {
      localStorage.setItem(this.#key, String(Math.max(entry, this.#read())));
    } catch {
      // A browser that keeps nothing: the next briefing starts at the beginning.
    }
  }

  /** The reader is back. */
  back(): void {
    this.before = this.#read();
  }

  #read(): number {
    try {
      return Number(localStorage.getItem(this.#key)) || 0;
    } catch {
      return 0;
    }
  }
}
