// What the reader's own menu holds, in pieces of their own: nobody needs them for the first paint.
export const menu = {
  sessions: () => import('./Sessions.svelte'),
  password: () => import('./NewPassword.svelte'),
  reach: () => import('./Reach.svelte'),
  tokens: () => import('../tokens/Mine.svelte'),
};
