// What most stories begin with: search fails, Sabrina commands, and Marty is there to help.
import type { House } from './house';
export { PATIENCE } from './patience';

export interface Tokens {
  sabrina: string;
  marty: string;
}

/** Sabrina declares #1. The server runs, with these variables. */
export async function searchFails(house: House, more: NodeJS.ProcessEnv = {}): Promise<Tokens> {
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  await house.serve(more);
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--severity', 'sev1');
  return { sabrina, marty };
}

/** And Marty takes part. */
export async function bothAreIn(house: House, more: NodeJS.ProcessEnv = {}): Promise<Tokens> {
  const tokens = await searchFails(house, more);
  house.say(tokens.marty, 'join', '1');
  return tokens;
}
