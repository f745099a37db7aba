// Addresses of the page. Every place has one of its own, so that it can be linked to at 03:00.

export const ADMIN_PARTS = ['people', 'teams', 'services', 'tokens', 'settings', 'audit'] as const;
export type AdminPart = (typeof ADMIN_PARTS)[number];

export type Route =
  | { page: 'board' }
  | { page: 'incident'; number: number; whole: boolean }
  | { page: 'admin'; part: AdminPart }
  | { page: 'sign-in' }
  | { page: 'welcome' }
  | { page: 'guest' }
  | { page: 'nowhere'; path: string };

export function parse(path: string): Route {
  const plain = path.length > 1 ? path.replace(/\/+$/, '') : path;
  if (plain === '' || plain === '/') return { page: 'board' };
  if (plain === '/sign-in') return { page: 'sign-in' };
  // The one-time secret stands in the fragment, which no server and no log ever gets to see.
  if (plain === '/welcome') return { page: 'welcome' };
  if (plain === '/guest') return { page: 'guest' };
  const incident = /^\/incidents\/([1-9]\d{0,8})(\/document)?$/.exec(plain);
  if (incident) return { page: 'incident', number: Number(incident[1]), whole: !!incident[2] };
  if (plain === '/admin') return { page: 'admin', part: 'people' };
  const part = ADMIN_PARTS.find((one) => plain === `/admin/${one}`);
  if (part) return { page: 'admin', part };
  return { page: 'nowhere', path };
}
