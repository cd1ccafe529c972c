// SPDX-License-Identifier: GPL-2.0-or-later
// The circles of the map, and its virtual hubs as diamonds.
import { Hub, Place, severityOf } from "./map_model";
import type { Spot } from "./map_hubs";

export interface Mark {
	x: number;
	y: number;
	r: number;
	list: Place[]; // the worst first
}
export const radius = [13, 9, 6];
export const nameOf = (n: { name: string }) => n.name.slice(0, 22);
// Whether a circle has its name below it: with many, VNets alone.
export const named = (m: Mark, of: number) => m.list.length === 1 && (m.list[0].kind === 0 || of < 140);

function diamond(c: CanvasRenderingContext2D, x: number, y: number, r: number, edge: string, width: number) {
	c.beginPath();
	c.moveTo(x, y - r);
	c.lineTo(x + r, y);
	c.lineTo(x, y + r);
	c.lineTo(x - r, y);
	c.closePath();
	c.fill();
	c.lineWidth = width;
	c.strokeStyle = edge;
	c.stroke();
}

export function drawMarks(
	c: CanvasRenderingContext2D,
	marks: Mark[],
	hubs: Spot[],
	chosen: Place | Hub | null,
	color: (name: string) => string,
) {
	const fills: Record<string, string> = {
			High: color("--high"),
			Medium: color("--medium"),
			Low: color("--low"),
			Healthy: color("--good"),
		},
		grey = color("--unknown"),
		text = color("--text"),
		card = color("--card"),
		link = color("--link");
	c.textAlign = "center";
	for (const m of marks) {
		const n = m.list[0];
		c.beginPath();
		c.arc(m.x, m.y, m.r, 0, 7);
		c.fillStyle = fills[severityOf(n)] ?? grey;
		c.fill();
		if (m.list.some((k) => k.facing)) {
			c.lineWidth = 2;
			c.strokeStyle = link;
			c.stroke();
		}
		if (m.list.some((k) => k === chosen)) {
			c.lineWidth = 3;
			c.strokeStyle = text;
			c.beginPath();
			c.arc(m.x, m.y, m.r + 4, 0, 7);
			c.stroke();
		}
		c.font = "600 10px system-ui, sans-serif";
		c.fillStyle = card;
		if (m.list.length > 1)
			c.fillText(
				m.list.length > 999 ? `${Math.round(m.list.length / 1000)}k` : String(m.list.length),
				m.x,
				m.y + 3.5,
			);
		else if (n.rank >= 3) c.fillText("!", m.x, m.y + 3.5);
	}
	c.fillStyle = card;
	for (const s of hubs) {
		if (s.hub === chosen) diamond(c, s.x, s.y, s.r + 6, text, 3);
		diamond(c, s.x, s.y, s.r, link, 2);
	}
	c.font = "11px system-ui, sans-serif";
	c.fillStyle = text;
	c.strokeStyle = card;
	c.lineWidth = 3;
	for (const m of marks)
		if (named(m, marks.length)) {
			const name = nameOf(m.list[0]),
				y = m.y + m.r + (m.list[0] === chosen ? 17 : 12); // below the ring of what is chosen
			c.strokeText(name, m.x, y);
			c.fillText(name, m.x, y);
		}
	for (const s of hubs) {
		const name = nameOf(s.hub),
			y = s.y - s.r - (s.hub === chosen ? 10 : 4);
		c.strokeText(name, s.x, y);
		c.fillText(name, s.x, y);
	}
}
