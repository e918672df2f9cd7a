// CodeMirror, set up for the page: a file to read and edit, lines lit where clients stand, mistakes at their line, and
// a comparison with another text. It knows no simulator. It lives in a shadow root, where its style sheets are
// adopted rather than written into the document, which a strict content security policy would refuse.

import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState, RangeSet, StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, EditorView, gutter, GutterMarker, highlightSpecialChars, keymap, lineNumbers, type DecorationSet } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { LitLine } from '../core/types';
import type { Language } from '../draw/code';

export interface CodeEditor {
  show(file: string, text: string, language: Language, comparedWith: string | null): void;
  activate(lines: readonly LitLine[]): void;
  diagnose(mistakes: readonly Mistake[]): void;
  /** Lines at which requests collided. */
  blame(lines: readonly number[]): void;
  reveal(line: number): void;
  /** Scrolls without telling anybody; pixels. */
  scroll(top: number): void;
  /** Takes the keyboard, with the cursor where the reader pointed. */
  focus(at: { x: number; y: number } | null): void;
  close(): void;
}

export interface EditorEvents {
  text: string;
  language: Language;
  changed(file: string, text: string): void;
  deploy(file: string): void;
}

class Clients extends GutterMarker {
  #line: LitLine;

  constructor(line: LitLine) {
    super();
    this.#line = line;
  }

  override eq(other: Clients) {
    return this.#line.clients === other.#line.clients && this.#line.lock_waits === other.#line.lock_waits && this.#line.pool_waits === other.#line.pool_waits;
  }

  override toDOM() {
    const element = document.createElement('span');
    element.textContent = String(this.#line.clients);
    element.className = this.#line.lock_waits + this.#line.pool_waits > 0 ? 'clients waits' : 'clients';
    element.title = `${this.#line.clients} here, ${this.#line.lock_waits} waiting for a lock, ${this.#line.pool_waits} for a connection`;
    return element;
  }
}

const setActive = StateEffect.define<readonly LitLine[]>();
const activeLine = Decoration.line({ class: 'lit' });
const waitingLine = Decoration.line({ class: 'lit waits' });

interface Active {
  lines: DecorationSet;
  markers: RangeSet<Clients>;
}

const activeField = StateField.define<Active>({
  create: () => ({ lines: Decoration.none, markers: RangeSet.empty }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setActive)) continue;
      const here = effect.value
        .filter(({ line }) => line >= 1 && line <= transaction.state.doc.lines)
        .map((active) => ({ active, from: transaction.state.doc.line(active.line).from }))
        .sort((a, b) => a.from - b.from);
      return {
        lines: Decoration.set(here.map(({ active, from }) => (active.lock_waits + active.pool_waits > 0 ? waitingLine : activeLine).range(from))),
        markers: RangeSet.of(here.map(({ active, from }) => new Clients(active).range(from))),
      };
    }
    if (!transaction.docChanged) return value;
    return { lines: value.lines.map(transaction.changes), markers: value.markers.map(transaction.changes) };
  },
  provide: (field) => EditorView.decorations.from(field, ({ lines }) => lines),
});

const setCollided = StateEffect.define<readonly number[]>();
const collidedLine = Decoration.line({ class: 'collided' });

const collidedField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setCollided)) continue;
      const { doc } = transaction.state;
      return Decoration.set(effect.value.filter((line) => line >= 1 && line <= doc.lines).map((line) => collidedLine.range(doc.line(line).from)));
    }
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

interface Mistake {
  text: string;
  line: number;
}

const setMistakes = StateEffect.define<readonly Mistake[]>();

const mistakeField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setMistakes)) continue;
      const { doc } = transaction.state;
      return Decoration.set(
        effect.value
          .map(({ text, line }) => ({ text, at: doc.line(Math.min(Math.max(1, line), doc.lines)) }))
          .filter(({ at }) => at.length > 0)
          .map(({ text, at }) => Decoration.mark({ class: 'mistake', attributes: { title: text } }).range(at.from, at.to)),
        true,
      );
    }
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

// The page's custom properties reach into the shadow root, so a theme change needs nothing here.
const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'transparent', fontSize: 'var(--code-size, 0.85rem)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto', background: 'var(--cut, none)' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--lamp)' },
  '.cm-line': { padding: '0 16px 0 0' },
  '.cm-cursor': { borderLeftColor: 'var(--lamp)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection': {
    backgroundColor: 'light-dark(#e9dfc4, #34405a) !important',
  },
  '.cm-gutters': { backgroundColor: 'var(--ground)', color: 'var(--soft)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '1.5rem', padding: '0 1rem 0 0' },
  '.clientsGutter': { width: '2.5rem' },
  '.clients': { paddingLeft: '6px', color: 'var(--lamp)', fontWeight: '600' },
  '.clients.waits': { color: 'var(--waiting)' },
  '.lit': { backgroundColor: 'color-mix(in srgb, var(--lamp) 9%, transparent)' },
  '.collided': { boxShadow: 'inset 3px 0 var(--broken)' },
  '.lit.waits': { backgroundColor: 'color-mix(in srgb, var(--waiting) 13%, transparent)' },
  '.cm-matchingBracket': { backgroundColor: 'transparent', outline: '1px solid var(--edge)' },
  '.mistake': { textDecoration: 'underline wavy var(--broken)', textUnderlineOffset: '3px' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '4px' },
  '.cm-changedLine': { backgroundColor: 'color-mix(in srgb, var(--holds) 12%, transparent) !important' },
  '.cm-changedText': { background: 'none !important', textDecoration: 'none' },
  '.cm-deletedChunk': { backgroundColor: 'color-mix(in srgb, var(--broken) 11%, transparent) !important', paddingLeft: '0' },
  '.cm-deletedText, .cm-deletedLine del': { background: 'none !important', textDecoration: 'none' },
  '.cm-deletedLine': { color: 'var(--soft)' },
  '.cm-changeGutter': { width: '3px', paddingLeft: '0' },
  '.cm-changedLineGutter': { backgroundColor: 'var(--holds)' },
  '.cm-deletedLineGutter': { backgroundColor: 'var(--broken)' },
});

const syntax = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], fontWeight: '600' },
  { tag: tags.string, color: 'var(--syntax)' },
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], fontWeight: '700' },
]);

function languageSupport(language: Language): Extension {
  return language === 'sql' ? sql({ dialect: PostgreSQL }) : python();
}

export function openEditor(holder: HTMLElement, { text, language, changed, deploy }: EditorEvents): CodeEditor {
  const root = holder.shadowRoot ?? holder.attachShadow({ mode: 'open' });
  const frame = document.createElement('div');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block }
    div.frame { height: 100% }
    @media (max-width: 1000px) { div.frame { --code-size: 0.75rem } }
    @media (forced-colors: active) {
      .lit { outline: 1px solid Highlight; outline-offset: -1px }
      .lit.waits { outline-style: dashed }
      .cm-changedLine { border-left: 3px solid }
      .cm-deletedLine { text-decoration: line-through }
    }
  `);
  root.adoptedStyleSheets = [sheet];
  frame.className = 'frame';
  root.append(frame);

  let file = '';
  let compared: string | null = null;
  let setting = false;
  /** A long handler is opened where its clients stand, once; from then on the reader scrolls. */
  let placed = false;
  /** The file whose collision was shown: from then on the reader scrolls. */
  let blamed: string | null = null;

  const view = new EditorView({ root, parent: frame, state: stateOf(text, language, null) });

  function stateOf(text: string, language: Language, comparedWith: string | null): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        gutter({ class: 'clientsGutter', markers: (view) => view.state.field(activeField).markers }),
        lineNumbers(),
        highlightSpecialChars(),
        history(),
        indentOnInput(),
        indentUnit.of('    '),
        bracketMatching(),
        languageSupport(language),
        syntaxHighlighting(syntax),
        activeField,
        collidedField,
        mistakeField,
        look,
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': `${file || 'Code'}. Escape, then Tab leaves the editor.` }),
        keymap.of([
          {
            key: 'Mod-Enter',
            run: () => {
              deploy(file);
              return true;
            },
          },
          indentWithTab,
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        // Left to itself Chromium gives text that replaces bold text an inline style, which the page's policy refuses.
        EditorView.domEventHandlers({
          beforeinput(event, view) {
            if (event.inputType !== 'insertText' || !event.data || event.isComposing || view.state.selection.main.empty) return false;
            view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
            event.preventDefault();
            return true;
          },
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !setting) changed(file, update.state.doc.toString());
        }),
        comparedWith === null ? [] : unifiedMergeView({ original: comparedWith, mergeControls: false, gutter: true, syntaxHighlightDeletions: true }),
      ],
    });
  }

  /** Within the editor only: the editor's own way would scroll the page too. */
  function scrollTo(line: number) {
    const { doc } = view.state;
    const { top } = view.lineBlockAt(doc.line(Math.min(Math.max(1, line), doc.lines)).from);
    view.scrollDOM.scrollTop = top;
  }

  return {
    show(nextFile, nextText, nextLanguage, comparedWith) {
      if (nextFile === file && comparedWith === compared) {
        if (nextText === view.state.doc.toString()) return;
        setting = true;
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: nextText } });
        setting = false;
        return;
      }
      file = nextFile;
      compared = comparedWith;
      placed = false;
      view.setState(stateOf(nextText, nextLanguage, comparedWith));
    },
    activate(lines) {
      view.dispatch({ effects: setActive.of(lines) });
      const first = Math.min(...lines.map(({ line }) => line));
      if (placed || view.hasFocus || !Number.isFinite(first)) return;
      placed = true;
      scrollTo(first - 2);
    },
    diagnose(mistakes) {
      view.dispatch({ effects: setMistakes.of(mistakes) });
    },
    blame(lines) {
      view.dispatch({ effects: setCollided.of(lines) });
      if (lines.length === 0 || blamed === file || view.hasFocus) return;
      blamed = file;
      placed = true;
      scrollTo(lines[0]! - 2);
    },
    reveal(line) {
      const { doc } = view.state;
      view.dispatch({ selection: { anchor: doc.line(Math.min(Math.max(1, line), doc.lines)).from } });
      scrollTo(line - 6);
    },
    scroll(top) {
      placed ||= top > 0;
      view.scrollDOM.scrollTop = top;
    },
    focus(at) {
      view.focus();
      const anchor = at && view.posAtCoords(at);
      if (anchor !== null) view.dispatch({ selection: { anchor } });
    },
    close() {
      view.destroy();
    },
  };
}
