// Set by vite.config.ts: which build of the engine the page was built with, how large it is unpacked, and the constants
// of its cost model in microseconds.
declare const __ENGINE__: string;
declare const __ENGINE_BYTES__: number;
declare const __COSTS__: { us: { [name in string]: number }; measuredOn: string };

declare module 'subset-font' {
  export default function subsetFont(font: Buffer, text: string, options: { targetFormat: 'woff2' }): Promise<Buffer>;
}
