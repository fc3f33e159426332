import { metrics } from "../measuring/metric.js";
import { median } from "../measuring/statistics.js";
import type { Row } from "./comparison.js";
import type { Report } from "./report.js";

/** Sizes, in px. */
const label = 200;
const width = 560;
const line = 22;
const head = 56;

/** A point of the plot: the ratio to the peer, and its range over the rounds. */
interface Point {
  readonly contender: string;
  readonly times: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Plots the first metric of each scenario as an SVG: one line for each scenario, with the ratio to
 * the peer on a logarithmic scale, and least and most of all rounds. Ours is first in each
 * scenario, and filled.
 */
export function plotOf({ scenarios, date, rounds }: Report): string {
  const lines = scenarios.map(({ name, rows }) => ({ name, points: pointsOf(rows) })).filter(({ points }) => points.length > 0);
  const bounds = lines.flatMap(({ points }) => points.flatMap(({ least, most }) => [least, most]));
  const [low, high] = [Math.min(0.5, ...bounds), Math.max(2, ...bounds)].map(Math.log2) as [number, number];
  const x = (times: number) => (label + ((Math.log2(times) - low) / (high - low)) * width).toFixed(1);
  const height = head + lines.length * line + 44;
  const bottom = height - 40;
  const step = Math.ceil((high - low) / 8);
  const ticks = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, index) => Math.ceil(low) + index).filter(
    (power) => power % step === 0,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${label + width + 40}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="16" y="22" font-size="14">How many times as good as BullMQ (1×), right is better</text>`,
    `<text x="16" y="40" fill="#666">Medians and range of ${rounds} rounds, ${date.slice(0, 10)}. Filled: Bullrush; hollow: others.</text>`,
    ...ticks.map((power) => tick(x(2 ** power), 2 ** power)),
    ...lines.map(({ name, points }, index) => scenario(name, points, head + (index + 0.5) * line)),
    "</svg>\n",
  ].join("\n");

  function tick(at: string, times: number): string {
    const stroke = times === 1 ? "#333" : "#ddd";
    const text = times >= 1 ? `${times}×` : `1/${1 / times}×`;
    return [
      `<line x1="${at}" x2="${at}" y1="${head}" y2="${bottom}" stroke="${stroke}"/>`,
      `<text x="${at}" y="${bottom + 16}" text-anchor="middle">${text}</text>`,
    ].join("");
  }

  function scenario(name: string, points: readonly Point[], y: number): string {
    const [ours, ...others] = points;
    const marks = [...others, ...(ours === undefined ? [] : [ours])].map((point) => mark(point, y, point === ours));
    return [`<text x="${label - 12}" y="${y + 4}" text-anchor="end">${name}</text>`, ...marks].join("\n");
  }

  function mark({ contender, times, least, most }: Point, y: number, ours: boolean): string {
    const colour = ours ? "#0a6" : "#999";
    return [
      `<g stroke="${colour}" fill="${ours ? colour : "white"}"><title>${escaped(contender)}: ${times.toFixed(2)}×</title>`,
      `<line x1="${x(least)}" x2="${x(most)}" y1="${y}" y2="${y}"/><circle cx="${x(times)}" cy="${y}" r="${ours ? 5 : 3.5}"/></g>`,
    ].join("");
  }
}

function pointsOf(rows: readonly Row[]): readonly Point[] {
  const [first] = rows;
  return rows.flatMap(({ metric, contender, pairedRatios }) => {
    if (metric !== first?.metric || pairedRatios === undefined) return [];
    const times = metrics[metric].better === "more" ? pairedRatios : pairedRatios.map((ratio) => 1 / ratio);
    return [{ contender, times: median(times), least: Math.min(...times), most: Math.max(...times) }];
  });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
