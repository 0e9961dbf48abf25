/** How a page looks, light or dark as the reader's system is, and the two scripts on it. */

export const style = `
:root{color-scheme:light dark;--text:light-dark(#1b1f24,#e6e8eb);--page:light-dark(#fff,#16191d);--faint:light-dark(#f5f6f8,#1e2227);--line:light-dark(#dfe2e6,#343a41);--mild:light-dark(#68707a,#98a1ab)}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,sans-serif}
main{max-width:980px;margin:0 auto;padding:24px 20px 80px}
h1,h2,h3,h4{line-height:1.25;margin:1.4em 0 .5em}h1{font-size:1.9em}h2{font-size:1.45em}h3{font-size:1.2em}
a{color:light-dark(#0b57b0,#7cb5ff)}img{max-width:100%}
pre{margin:0;padding:8px 12px;overflow-x:auto;font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em}pre code{font-size:1em}
:not(pre)>code{background:var(--faint);border-radius:4px;padding:.1em .3em}
.text pre,.code{background:var(--faint);border:1px solid var(--line);border-radius:6px}
blockquote{margin:1em 0;padding:.1em 1em;border-left:3px solid var(--line);color:var(--mild)}
table{border-collapse:collapse;margin:.8em 0;font-size:.93em}th,td{border:1px solid var(--line);padding:4px 10px}th{background:var(--faint)}
.cell{margin:18px 0}.source{display:flex;gap:8px;align-items:baseline}.source>pre,.source>details{flex:1;min-width:0}
.count{flex:none;width:3em;text-align:right;font:12px ui-monospace,monospace;color:var(--mild)}
.outputs{margin:4px 0 0 calc(3em + 8px)}.outputs pre{max-height:40em;overflow-y:auto}
.stderr{background:light-dark(#fdeeee,#3a2224)}.error{background:light-dark(#fdf3f3,#2e1f21);border-left:3px solid #d5392b}
.shown{padding:4px 0;overflow-x:auto}summary{cursor:pointer;color:var(--mild);font-size:.9em}
.comment{color:var(--mild);font-style:italic}.string,.pattern{color:light-dark(#0a6e3c,#8fd694)}.number{color:light-dark(#8a4b00,#f0b673)}
.keyword{color:light-dark(#7b2fb5,#cf9bf2)}.command{color:light-dark(#0b57b0,#7cb5ff)}
@media (max-width:640px){.source{display:block}.count{display:block;text-align:left}.outputs{margin-left:0}}
@media print{.outputs pre{max-height:none}}
`.trim();

/** The charts follow the mark that JupyterLab sets for its theme. */
export const themeScript =
  "(function(){var dark=matchMedia('(prefers-color-scheme: dark)');function mark(){document.body.dataset.jpThemeLight=String(!dark.matches)}mark();dark.addEventListener('change',mark)})()";

/** Draws the figures that cells have shown by themselves. */
export const figureScript =
  "document.querySelectorAll('.figure').forEach(function(el){var f=JSON.parse(el.firstChild.textContent);Plotly.newPlot(el,f.data,f.layout||{},Object.assign({responsive:true},f.config))})";
