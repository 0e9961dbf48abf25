import { PAGE_BACKGROUND, PAGE_TEXT } from "./plotly-plane.ts";

/**
 * The script in a chart's HTML: turns every chart on the page that is still a picture into an interactive one.
 *
 * Plotly comes from the page (`window.Plotly`), else from the folder of the installed kernelspec, which a Jupyter server
 * serves; it is loaded once for all charts. Whether the kernelspec is there is asked first, since a script that is
 * missing would show as an error in the console. Where there is neither, the picture stays.
 */
export function loaderScript(kernelspecName: string, version: string): string {
  return `(${LOADER})(${JSON.stringify(kernelspecName).replaceAll("<", "\\u003c")},${JSON.stringify(version)})`;
}

const LOADER = `function(name,version){
var w=window,d=document;
function shade(el,what){for(var e=el;e;e=e.parentElement){var c=getComputedStyle(e)[what];if(c&&c!=='transparent'&&c!=='rgba(0, 0, 0, 0)')return c}return what==='color'?'#111':'#fff'}
function figure(el,source){return JSON.parse(source.replaceAll('"${PAGE_TEXT}"',JSON.stringify(shade(el,'color'))).replaceAll('"${PAGE_BACKGROUND}"',JSON.stringify(shade(el,'backgroundColor'))))}
function draw(P,el){
if(el.dataset.state)return;el.dataset.state='loading';
var img=el.querySelector('img'),source=el.querySelector('script[type="application/json"]').textContent,parts=JSON.parse(source),box=d.createElement('div'),plot=d.createElement('div');
box.className='heddle-plot';box.innerHTML=parts.head+'<div></div>'+parts.foot;box.replaceChild(plot,box.querySelector('div'));
plot.setAttribute('role','img');plot.setAttribute('aria-label',img.alt);el.appendChild(box);
var width,hidden={};
box.querySelectorAll('[data-trace]').forEach(function(b){b.onclick=function(){var n=b.dataset.trace;hidden[n]=!hidden[n];b.style.opacity=hidden[n]?.4:1;show()}});
function show(){var f=figure(el,source),m=f.layout.margin.l+f.layout.margin.r,room=(plot.clientWidth||960)-m,scale=room/(960-m);width=el.clientWidth;
f.layout.xaxis.nticks=Math.max(2,Math.floor(room/85));
f.data.forEach(function(t){var k=t.meta;if(k)t.text=t.text.map(function(s,i){return k.fit[i]<=scale?s:k.short&&k.shortFit[i]<=scale?k.short[i]:''});
if(hidden[t.legendgroup||t.name])t.visible=false});
return P.react(plot,f.data,f.layout,f.config)}

Promise.resolve().then(show).then(function(){img.style.display='none';el.dataset.state='interactive';
new MutationObserver(function(){if(el.isConnected)show()}).observe(d.body,{attributes:true,attributeFilter:['data-jp-theme-light','class']});
new ResizeObserver(function(){if(Math.abs(el.clientWidth-width)>40&&el.clientWidth)show()}).observe(el)
}).catch(function(){box.remove();el.dataset.state='picture'})}
function load(){return w.__heddlePlotly=w.__heddlePlotly||new Promise(function(ok){
var c=d.getElementById('jupyter-config-data'),base=c?JSON.parse(c.textContent).baseUrl:d.body&&d.body.dataset.baseUrl;
if(!base)return ok();
if(base.slice(-1)!=='/')base+='/';
fetch(base+'api/kernelspecs').then(function(r){return r.ok?r.json():{}}).then(function(k){
if(!k.kernelspecs||!k.kernelspecs[name])return ok();
var s=d.createElement('script'),define=w.define;w.define=undefined;
s.src=base+'kernelspecs/'+encodeURIComponent(name)+'/plotly.min.js?v='+version;
s.onload=function(){w.define=define;ok(w.Plotly)};s.onerror=function(){w.define=define;ok()};
d.head.appendChild(s)}).catch(function(){ok()})})}
(w.Plotly?Promise.resolve(w.Plotly):load()).then(function(P){if(P)d.querySelectorAll('.heddle-timeline').forEach(function(el){if(el.querySelector('script[type="application/json"]'))draw(P,el)})}).catch(function(){})
}`;
