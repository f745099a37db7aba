// The editor's own styles, under a policy that takes none from scripts. CodeMirror would put them into a `<style>`
// element; here they become a constructed style sheet, which our policy allows, and which no inserted text can make.
import { StyleModule } from 'style-mod';

const adopted = new WeakMap<object, { sheet: CSSStyleSheet; modules: Set<StyleModule> }>();

/** What is mounted later wins. Adopted sheets stand behind the page's own, so editor.css says more exactly what it means. */
StyleModule.mount = (root, given) => {
  let mine = adopted.get(root);
  if (mine === undefined) {
    mine = { sheet: new CSSStyleSheet(), modules: new Set() };
    adopted.set(root, mine);
    root.adoptedStyleSheets = [mine.sheet, ...root.adoptedStyleSheets];
  }
  for (const module of Array.isArray(given) ? given : [given]) {
    if (mine.modules.has(module)) continue;
    mine.modules.add(module);
  }
  mine.sheet.replaceSync([...mine.modules].map((one) => one.getRules()).join('\n'));
};
