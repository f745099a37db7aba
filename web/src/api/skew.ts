// How far the server's clock is ahead of the browser's, in milliseconds, as far as a Date header can tell.

/**
 * A Date header names a whole second that lay between sending and receiving. What was believed before is kept as
 * long as it fits, so that ages do not jump by fractions; otherwise the middle of what is possible is believed.
 */
export function ahead(before: number, header: string | null, sent: number, received: number): number {
  const said = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(said)) return before;
  const least = said - received;
  const most = said + 1_000 - sent;
  return before >= least && before <= most ? before : (least + most) / 2;
}
