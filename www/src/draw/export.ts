// What a reader can take away: a picture of the numbers, a file of the trace. It draws on a canvas of its own and asks nobody.

import { colours } from '../colours';

const WIDTH = 960;
const MARGIN = 40;
const ROW = 110;
const LEFT = 220;

/** One headline number with the chart beside it. */
export interface MetricPicture {
  label: string;
  value: string;
  caption: string;
  broken: boolean;
  chart: HTMLCanvasElement | null;
}

/** The headline numbers with their charts, in the colours of the theme. */
export async function numbersPicture(title: string, beneath: string, charts: MetricPicture[]): Promise<Blob | null> {
  const palette = colours();
  const scale = 2;
  const canvas = document.createElement('canvas');
  const height = MARGIN * 2 + 76 + charts.length * ROW;
  canvas.width = WIDTH * scale;
  canvas.height = height * scale;
  const ctx = canvas.getContext('2d')!;
  ctx.scale(scale, scale);
  ctx.fillStyle = palette.ground;
  ctx.fillRect(0, 0, WIDTH, height);
  ctx.textBaseline = 'alphabetic';
  const text = (words: string, x: number, y: number, font: string, colour: string, room?: number) => {
    ctx.font = `${font} Instrument Sans, sans-serif`;
    ctx.fillStyle = colour;
    ctx.fillText(words, x, y, room);
  };
  text(title, MARGIN, MARGIN + 22, '600 24px', palette.ink, WIDTH - 2 * MARGIN);
  text(beneath, MARGIN, MARGIN + 48, '15px', palette.soft, WIDTH - 2 * MARGIN);
  charts.forEach(({ label, value, caption, broken, chart }, index) => {
    const top = MARGIN + 76 + index * ROW;
    ctx.fillStyle = palette.line;
    ctx.fillRect(MARGIN, top, WIDTH - 2 * MARGIN, 1);
    text(label, MARGIN, top + 26, '14px', palette.soft, LEFT - MARGIN);
    text(value, MARGIN, top + 64, '600 34px', broken ? palette.broken : palette.ink, LEFT - MARGIN);
    text(caption, MARGIN, top + 90, '13px', palette.soft, LEFT - MARGIN);
    if (chart && chart.width > 0) ctx.drawImage(chart, LEFT + MARGIN / 2, top + 6, WIDTH - LEFT - 1.5 * MARGIN, ROW - 12);
  });
  text('2 AM', WIDTH - MARGIN - 40, height - 14, '600 13px', palette.soft);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** What stands on the screen now. */
export function chartsOnScreen(): MetricPicture[] {
  return [...document.querySelectorAll<HTMLElement>('.metric-chart')].map((chart) => {
    const words = (selector: string) => chart.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
    return { label: words('h2'), value: words('.hero'), caption: words('.caption'), broken: chart.classList.contains('wrong'), chart: chart.querySelector('canvas') };
  });
}

export function save(content: Blob, name: string) {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
