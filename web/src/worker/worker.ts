// The page's service worker. A scope has one, so this is all of it: what this browser is told is shown, and the page's own
// files are kept, so that it opens without a server. What the server answers about incidents is never kept here.
import './files';
import './told';
