import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import subsetFont from 'subset-font';
import { build, defineConfig, type Plugin } from 'vite';
import type { ScenarioSummary } from './src/core/types';
import { byFeeling, corners } from './src/draw/about';
import { LAYOUTS, escape, picture } from './src/draw/picture';

/**
 * Writes the content security policy into the built page. It is done here and not by hand because the one
 * inline script, which sets the theme before the first paint, is allowed by its hash.
 */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const hashes = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
          ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`,
        );
        const policy = [
          "default-src 'none'",
          ["script-src 'self' 'wasm-unsafe-eval'", ...hashes].join(' '),
          "style-src 'self'",
          "img-src 'self' data: blob:",
          "font-src 'self'",
          "connect-src 'self'",
          "worker-src 'self'",
          "manifest-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
        ].join('; ');
        return html.replace(
          '<meta charset="utf-8" />',
          `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        );
      },
    },
  };
}

/** Letters that the first screen waits for: all of ASCII, and what the texts are set with. `theme.css` has the rest apart. */
const BASIC = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index)) + '·×÷–—‘’“”…•−→←↑↓≤≥€™‹›';

async function writeBasicFonts() {
  const folder = join(import.meta.dirname, 'src/fonts');
  mkdirSync(folder, { recursive: true });
  for (const font of ['instrument-sans', 'sometype-mono']) {
    const whole = readFileSync(join(import.meta.dirname, `node_modules/@fontsource-variable/${font}/files/${font}-latin-wght-normal.woff2`));
    writeFileSync(join(folder, `${font}.woff2`), await subsetFont(whole, BASIC, { targetFormat: 'woff2' }));
  }
}

await writeBasicFonts();

/** Fonts, the list of scenarios and the one that is opened are asked for with the page, not after its script was read. */
function preloads(): Plugin {
  let folder = '';
  return {
    name: 'preloads',
    apply: 'build',
    configResolved: (config) => {
      folder = config.publicDir;
    },
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle, filename }) {
        const fonts = Object.keys(bundle ?? {}).filter((file) => file.endsWith('.woff2') && !file.includes('-latin-'));
        // A frame shows a picture until it is tapped; the engine's page shows nothing.
        if (/(embed|engine)\.html$/.test(filename)) return [];
        // After the policy, which holds only for what follows it.
        const injectTo = 'head' as const;
        const links = fonts.map((file) => ({ tag: 'link', attrs: { rel: 'preload', href: `./${file}`, as: 'font', type: 'font/woff2', crossorigin: '' }, injectTo }));
        if (!filename.endsWith('index.html')) return links.filter(({ attrs }) => attrs.href.includes('sans'));
        const ids = summariesIn(folder).map(({ id }) => id);
        const ofScenario = `{
  const ids = ${JSON.stringify(ids)};
  const asked = location.hash.slice(1) || document.documentElement.dataset.scenario || ids[0];
  for (const folder of ids.includes(asked) ? ['scenarios', 'recordings'] : []) {
    document.head.append(Object.assign(document.createElement('link'), { rel: 'preload', as: 'fetch', crossOrigin: '', href: \`./\${folder}/\${asked}.json\` }));
  }
}`;
        return [
          { tag: 'script', children: ofScenario, injectTo },
          ...links,
          { tag: 'link', attrs: { rel: 'preload', href: './scenarios/index.json', as: 'fetch', crossorigin: '' }, injectTo },
        ];
      },
    },
  };
}

/** Fills the page that explains the product: what came out of one scenario, and links to all. */
function about(): Plugin {
  let folder = '';
  return {
    name: 'about',
    configResolved: (config) => {
      folder = config.publicDir;
    },
    transformIndexHtml: {
      order: 'pre',
      handler(html, { filename }) {
        if (!filename.endsWith('about.html')) return html;
        const summaries = summariesIn(folder);
        const id = summaries[0]!.id;
        return html
          .replaceAll('__FIRST__', id)
          .replaceAll('__COUNT__', String(summaries.length))
          .replace('<!-- corners -->', () => corners(readJson(folder, `scenarios/${id}.json`), readJson(folder, `recordings/${id}.json`)))
          .replace('<!-- scenarios -->', () => byFeeling(summaries));
      },
    },
  };
}

/** Adds to the folder that was built, one after the other in the order of the plugins. */
function afterwards(name: string, write: (folder: string) => void | Promise<void>): Plugin {
  let folder = '';
  return {
    name,
    apply: 'build',
    configResolved: (config) => {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: { sequential: true, handler: () => write(folder) },
  };
}

const readJson = (folder: string, path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const summariesIn = (folder: string): ScenarioSummary[] => readJson(folder, 'scenarios/index.json');

/** Writes a still picture of each scenario's recorded runs, for embeds and feeds. */
const pictures = afterwards('pictures', (folder) => {
  mkdirSync(join(folder, 'pictures'), { recursive: true });
  for (const { id } of summariesIn(folder)) {
    const [document, recordings] = [readJson(folder, `scenarios/${id}.json`), readJson(folder, `recordings/${id}.json`)];
    writeFileSync(join(folder, `pictures/${id}.svg`), picture(document, recordings));
    writeFileSync(join(folder, `pictures/${id}.narrow.svg`), picture(document, recordings, LAYOUTS.narrow));
  }
});

/** Writes a page for each scenario: the same one, under a title and a description that whoever previews a link reads without running it. */
const scenarioPages = afterwards('scenario-pages', (folder) => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  for (const { id, title, hook } of summariesIn(folder)) {
    const own = page
      .replace('<html ', `<html data-scenario="${id}" `)
      .replace(/<title>.*?<\/title>/, () => `<title>${escape(title)} · 2 AM</title>`)
      .replace(/(<meta property="og:title" content=)".*?"/, (_, start: string) => `${start}"${escape(title)} · 2 AM"`)
      .replace(/(<meta (?:name|property)="(?:og:)?description" content=)".*?"/g, (_, start: string) => `${start}"${escape(hook)}"`);
    writeFileSync(join(folder, `${id}.html`), own);
  }
});

/** Writes a frame for each scenario: it shows the picture and a link even where no script may run. */
const embedPages = afterwards('embed-pages', (folder) => {
  const page = readFileSync(join(folder, 'embed.html'), 'utf8');
  for (const { id, title, hook } of summariesIn(folder)) {
    const picture = `<picture><source media="(max-width: 559px)" srcset="./pictures/${id}.narrow.svg" /><img src="./pictures/${id}.svg" alt="${escape(`${title}. ${hook} Run it here.`)}" /></picture>`;
    const own = page
      .replace('<html ', `<html data-scenario="${id}" `)
      .replace(/<title>.*?<\/title>/, () => `<title>${escape(title)} · 2 AM</title>`)
      .replace(/<a id="still" href="\.\/"(.*?)>.*?<\/a>/, (_, rest: string) => `<a id="still" href="./${id}.html"${rest}>${picture}</a>`);
    writeFileSync(join(folder, `${id}.embed.html`), own);
  }
});

/** Writes what an article loads: one file without imports, as a classic script and as a module. */
const embedScripts = afterwards('embed-scripts', async (folder) => {
  for (const [entry, format, file] of [
    ['script', 'iife', 'embed.js'],
    ['module', 'es', 'embed.mjs'],
  ] as const) {
    await build({
      configFile: false,
      publicDir: false,
      logLevel: 'error',
      root: import.meta.dirname,
      build: {
        outDir: folder,
        emptyOutDir: false,
        target: 'es2022',
        lib: { entry: `src/embed/${entry}.ts`, formats: [format], name: 'twoam', fileName: () => file },
        minify: true,
      },
    });
    // A script is read in the character set of whoever loads it.
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/[^\x00-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`));
  }
});

/** Writes the service worker, which keeps exactly the files that were built. */
const offline = afterwards('offline', (folder) => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/offline\.js$|screenshot|social|embed\.(html|m?js)$|engine\.html$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(file));
  const paths = ['./', ...files.map((file) => `./${file.slice(folder.length + 1).replaceAll('\\', '/')}`)];
  writeFileSync(
    join(folder, 'offline.js'),
    readFileSync(new URL('offline.template.js', import.meta.url), 'utf8')
      .replace('__VERSION__', `twoam-${hash.digest('hex').slice(0, 16)}`)
      .replace('__FILES__', JSON.stringify(paths, null, 2)),
  );
});

/** The engine a page was built with, as links name it, and its size unpacked. The unit tests need none. */
function engine(): { name: string; bytes: number } {
  const path = new URL('pkg/twoam_bg.wasm', import.meta.url);
  if (!existsSync(path)) return { name: 'none', bytes: 0 };
  return { name: createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8), bytes: statSync(path).size };
}

/** The cost model's constants by name, and where they were measured, as the simulation has them: the page tells no others. */
function costs(): { us: { [name in string]: number }; measuredOn: string } {
  const read = (file: string) => readFileSync(new URL(`../src/sim/${file}`, import.meta.url), 'utf8');
  const calibrated = read('calibrated.rs');
  const constants = `${calibrated}\n${read('cost.rs')}`.matchAll(/pub const (\w+): \w+ = ([\d_.]+);/g);
  return {
    us: Object.fromEntries([...constants].map(([, name, value]) => [name!, Number(value!.replaceAll('_', ''))])),
    measuredOn: /^\/\/! (PostgreSQL .*)\.$/m.exec(calibrated)?.[1] ?? '',
  };
}

export default defineConfig({
  define: { __ENGINE__: JSON.stringify(engine().name), __ENGINE_BYTES__: engine().bytes, __COSTS__: JSON.stringify(costs()) },
  // Relative, so that the built folder works under any path and from any static server.
  base: './',
  plugins: [svelte(), about(), preloads(), contentSecurityPolicy(), pictures, scenarioPages, embedPages, embedScripts, offline],
  build: { outDir: '../dist', emptyOutDir: true, rolldownOptions: { input: ['index.html', 'about.html', 'embed.html', 'engine.html'] }, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  test: { include: ['tests/**/*.test.ts'] },
} as import('vite').UserConfig);
