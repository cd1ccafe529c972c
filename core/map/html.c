/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A self-contained page: the picture of the whole and one of each VNet, of which one is shown at a time, and the list of
 * machines. The script zooms, moves, shows details and filters; it takes every text from the page as text. The page's policy
 * forbids it to load anything.
 */
#include <stdlib.h>
#include "map/draw.h"

enum { MOST_PICTURES = 60, MOST_ROWS = 20000 };

static const char page_style[] =
	":root{color-scheme:light dark;--bg:#f5f5f5;--card:#fff;--text:#242424;--quiet:#616161;--line:#d6d6d6;--accent:#0f6cbd}"
	"@media(prefers-color-scheme:dark){:root{--bg:#121315;--card:#1b1c1f;--text:#f0f0f0;--quiet:#a9adb4;--line:#3a3d43;--accent:#62abf5}}"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:14px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
	"header,main{max-width:1400px;margin:0 auto;padding:12px 20px}h1{font-size:22px;margin:6px 0}h2{font-size:17px;margin:20px 0 8px}p{margin:4px 0;color:var(--quiet)}"
	"button,select,input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:5px 10px}button:hover,select:hover{border-color:var(--accent)}"
	".bar{display:flex;gap:8px;align-items:center;flex-wrap:wrap;margin:8px 0}.grow{flex:1}"
	".pic{background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden;height:min(86vh,1000px);touch-action:none;cursor:grab}.pic svg{width:100%;height:100%;display:block}.pic[hidden]{display:none}"
	"#tip{position:fixed;max-width:420px;white-space:pre-line;background:var(--card);color:var(--text);border:1px solid var(--line);border-radius:6px;padding:8px 10px;pointer-events:none;box-shadow:0 4px 16px #0005;overflow-wrap:anywhere}"
	".rows{overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}"
	"th{color:var(--quiet);font-weight:600;white-space:nowrap}td{overflow-wrap:anywhere}.st{white-space:nowrap}.st svg{width:12px;height:12px;vertical-align:-1px;margin-right:6px}";

static const char script[] =
	"'use strict';(function(){"
	"var pics=[].slice.call(document.querySelectorAll('.pic')),pick=document.getElementById('pick'),tip=document.getElementById('tip');"
	"document.querySelectorAll('.pic title').forEach(function(t){t.parentNode.tip=t.textContent;t.remove()});"
	"function box(s){return s.getAttribute('viewBox').split(' ').map(Number)}"
	"pics.forEach(function(p){var s=p.querySelector('svg');p.home=s.getAttribute('viewBox');var at=null;"
	"function zoom(f,x,y){var b=box(s),r=s.getBoundingClientRect(),k=Math.max(b[2]/r.width,b[3]/r.height);"
	"var px=b[0]+b[2]/2+(x-r.left-r.width/2)*k,py=b[1]+b[3]/2+(y-r.top-r.height/2)*k,h=p.home.split(' ').map(Number);"
	"if(b[2]*f<h[2]/40||b[2]*f>h[2]*2)return;s.setAttribute('viewBox',[px-(px-b[0])*f,py-(py-b[1])*f,b[2]*f,b[3]*f].join(' '))}"
	"p.zoom=function(f){var r=s.getBoundingClientRect();zoom(f,r.left+r.width/2,r.top+r.height/2)};p.reset=function(){s.setAttribute('viewBox',p.home)};"
	"p.addEventListener('wheel',function(e){e.preventDefault();zoom(e.deltaY>0?1.15:1/1.15,e.clientX,e.clientY)},{passive:false});"
	"p.addEventListener('pointerdown',function(e){at=[e.clientX,e.clientY];p.setPointerCapture(e.pointerId)});p.addEventListener('pointerup',function(){at=null});"
	"p.addEventListener('pointermove',function(e){if(at){var b=box(s),r=s.getBoundingClientRect(),k=Math.max(b[2]/r.width,b[3]/r.height);"
	"s.setAttribute('viewBox',[b[0]-(e.clientX-at[0])*k,b[1]-(e.clientY-at[1])*k,b[2],b[3]].join(' '));at=[e.clientX,e.clientY]}"
	"var o=document.elementFromPoint(e.clientX,e.clientY),t=o&&o.tip;tip.hidden=!t;if(t){tip.textContent=t;"
	"tip.style.left=Math.min(e.clientX+14,innerWidth-tip.offsetWidth-8)+'px';tip.style.top=Math.min(e.clientY+14,innerHeight-tip.offsetHeight-8)+'px'}});"
	"p.addEventListener('pointerleave',function(){tip.hidden=true})});"
	"function shown(){return pics.filter(function(p){return !p.hidden})[0]}"
	"function show(){pics.forEach(function(p,i){p.hidden=i!==pick.selectedIndex})}pick.addEventListener('change',show);show();"
	"document.getElementById('in').onclick=function(){shown().zoom(1/1.4)};document.getElementById('out').onclick=function(){shown().zoom(1.4)};document.getElementById('all').onclick=function(){shown().reset()};"
	"var rows=[].slice.call(document.querySelectorAll('tbody tr')),find=document.getElementById('find'),count=document.getElementById('count');"
	"find.addEventListener('input',function(){var w=find.value.toLowerCase().split(/\\s+/),n=0;rows.forEach(function(r){var t=r.textContent.toLowerCase(),ok=w.every(function(x){return t.indexOf(x)>=0});r.hidden=!ok;n+=ok});"
	"count.textContent=n+' of '+rows.length})})();";

static void write_pictures(FILE *f, const struct wh_map *m)
{
	size_t n = m->n_roots < MOST_PICTURES ? m->n_roots : MOST_PICTURES;
	fputs("<div class=\"bar\"><label for=\"pick\">Show</label><select id=\"pick\"><option>The whole network</option>", f);
	for (size_t i = 0; i < n; i++) {
		const struct wh_map_node *v = &m->nodes[m->roots[i]];
		fputs("<option>", f);
		wh_map_text(f, v->name, 60);
		fprintf(f, " (%s: ", wh_map_node_text(v));
		wh_map_counts(f, v->counts);
		fputs(")</option>", f);
	}
	fputs("</select><button id=\"in\" title=\"Zoom in\">+</button><button id=\"out\" title=\"Zoom out\">&#8722;</button><button id=\"all\">Whole picture</button><span class=\"grow\"></span><span>Hover for details, scroll to zoom, drag to move</span></div>",
	      f);
	if (m->n_roots > n)
		fprintf(f, "<p>The %zu worst of %zu networks have a picture of their own.</p>", n, m->n_roots);
	fputs("<div class=\"pic\">", f);
	wh_map_draw(f, m, WH_NONE, "Network", false);
	fputs("</div>", f);
	for (size_t i = 0; i < n; i++) {
		fputs("<div class=\"pic\" hidden>", f);
		wh_map_draw(f, m, m->roots[i], m->nodes[m->roots[i]].name, false);
		fputs("</div>", f);
	}
}

static void write_row(FILE *f, const struct wh_map *m, const struct wh_map_node *n)
{
	const struct wh_map_node *subnet = n->n_parents ? &m->nodes[*n->parents] : NULL,
				 *vnet = subnet && subnet->n_parents ? &m->nodes[*subnet->parents] : NULL;
	fprintf(f, "<tr><td class=\"st\"><svg viewBox=\"-8 -8 16 16\"><circle class=\"wm-s%d\" r=\"7\"/></svg>%s</td><td>",
	        n->state, n->unscanned ? "Unscanned" : wh_map_state_text(n->state));
	wh_map_text(f, n->name, 0);
	fputs("</td><td>", f);
	wh_map_text(f, n->about, 0);
	fputs("</td><td>", f);
	wh_map_text(f, vnet ? vnet->name : "not known", 0);
	if (subnet) {
		fputs(" / ", f);
		wh_map_text(f, subnet->name, 0);
	}
	fprintf(f, "</td><td>%s</td><td>", n->reached ? "reached" : n->perhaps ? "perhaps" : n->facing ? "closed" : "");
	for (const struct wh_map_reason *r = n->reasons; r; r = r->next) {
		wh_map_text(f, r->text, 0);
		fputs(r->next ? "; " : "", f);
	}
	fputs("</td></tr>\n", f);
}

static void write_rows(FILE *f, const struct wh_map *m)
{
	size_t n = m->n - m->hosts, left = MOST_ROWS;
	fprintf(f,
	        "<h2>Machines</h2><div class=\"bar\"><input id=\"find\" type=\"search\" placeholder=\"Filter: a name, an address, a word\" size=\"40\"><span id=\"count\">%zu of %zu</span></div>",
	        n, n);
	fputs("<div class=\"rows\"><table><thead><tr><th>State</th><th>Machine</th><th>Addresses</th><th>VNet / subnet</th><th>Internet</th><th>Why</th></tr></thead><tbody>\n",
	      f);
	for (size_t s = WH_MAP_STATES; s-- > 0;)
		for (size_t i = m->hosts; i < m->n && left; i++)
			if (m->nodes[i].state == s) {
				write_row(f, m, &m->nodes[i]);
				left--;
			}
	fputs("</tbody></table></div>", f);
	if (n > MOST_ROWS)
		fprintf(f, "<p>The list ends after the %d worst of %zu machines.</p>", MOST_ROWS, n);
}

char *wh_map_html(const struct wh_map *m)
{
	char *text;
	size_t len, counts[WH_MAP_STATES] = {0}, machines[WH_MAP_MACHINES] = {0};
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	for (size_t i = m->hosts; i < m->n; i++) {
		counts[m->nodes[i].state]++;
		for (size_t k = 0; k < WH_MAP_MACHINES; k++)
			machines[k] += m->nodes[i].machines[k];
	}
	fprintf(f,
	        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
	        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
	        "<title>Network map</title><style>%s%s</style></head><body><header><h1>Network map</h1><p>",
	        page_style, wh_map_style);
	wh_map_number(f, m->subnets, WH_MAP_VNET);
	fputs(", ", f);
	wh_map_number(f, m->hosts - m->subnets, WH_MAP_SUBNET);
	fputs(", ", f);
	wh_map_machines(f, machines);
	fputs(m->n > m->hosts ? ": " : "", f);
	wh_map_counts(f, counts);
	fputs("</p></header><main>", f);
	write_pictures(f, m);
	write_rows(f, m);
	fprintf(f, "</main><div id=\"tip\" hidden></div><script>%s</script></body></html>\n", script);
	return fclose(f) ? NULL : text;
}
