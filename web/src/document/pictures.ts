// Pictures in what is shown as it was written: by their names, and not as addresses of a hundred letters.

export interface Piece {
  text: string;
  /** Where the picture is, of which this is the name. */
  picture: string | null;
}

/** A picture that is kept as evidence here; of others nothing is loaded, and they stay as they were written. */
const PICTURE = /!\[([^\]\n]*)\]\((\/api\/v1\/incidents\/\d+\/evidence\/[0-9a-f]{64})\)/g;

/** The same words, with the pictures in them set apart. */
export function withPictures(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(PICTURE)) {
    pieces.push({ text: text.slice(from, found.index), picture: null });
    pieces.push({ text: found[1] || 'picture', picture: found[2]! });
    from = found.index + found[0].length;
  }
  return [...pieces, { text: text.slice(from), picture: null }].filter((piece) => piece.text !== '');
}
