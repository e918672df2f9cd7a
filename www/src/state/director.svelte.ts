// Carries out a tour, by the intents that a reader has too. It ends with its last scene, or when the reader takes over.

import { Pulse } from './pulse';
import type { Scene, SceneName } from './tour';

/** What the director needs of the page. */
export interface Set {
  /** Naive code on one's own machine, from its beginning. */
  enterMachine(): void;
  /** Naive code in production, from its beginning. */
  enterProduction(): void;
  deployFix(): void;
  play(): void;
  pause(): void;
  setPace(speed: number): void;
  /** The reader's own speed again. */
  endPace(): void;
  /** The one looked at. */
  moment(): number;
  /** Nothing is left to play. */
  isOver(): boolean;
}

/** A page that was out of sight goes on where it was. */
const LONGEST_PICTURE_MS = 100;

export class Director {
  scene = $state.raw<Scene | null>(null);
  /** How far it has come, of all scenes, from 0 to 1. */
  progress = $state(0);
  /** It came to its end by itself, and nothing else was asked for since. */
  finished = $state(false);

  #set: Set;
  #pulse = new Pulse();
  #scenes: readonly Scene[] = [];
  #place = 0;
  #passed_ms = 0;
  #from_us = 0;

  constructor(set: Set) {
    this.#set = set;
  }

  get on(): boolean {
    return this.scene !== null;
  }

  /** Only the scenes named, if any are. */
  begin(scenes: readonly Scene[], only?: readonly SceneName[]) {
    this.end();
    this.#scenes = only ? scenes.filter(({ name }) => only.includes(name)) : scenes;
    this.finished = false;
    this.#enter(0);
    this.#pulse.start((passed_ms) => this.#beat(Math.min(passed_ms, LONGEST_PICTURE_MS)));
  }

  /** The reader takes over: what plays goes on, at the reader's own speed. */
  end() {
    this.finished = false;
    if (!this.scene) return;
    this.scene = null;
    this.#pulse.stop();
    this.#set.endPace();
  }

  stop() {
    if (!this.scene) return;
    this.end();
    this.#set.pause();
  }

  #enter(place: number) {
    const before = this.#scenes[place - 1]?.name;
    const scene = this.#scenes[place];
    this.#place = place;
    this.#passed_ms = 0;
    this.scene = scene ?? null;
    if (!scene) {
      this.#pulse.stop();
      this.#set.endPace();
      this.#set.pause();
      this.finished = true;
      return;
    }
    const inProduction = scene.name !== 'machine' && scene.name !== 'question';
    this.#set.setPace(scene.speed);
    if (scene.name === 'machine') this.#set.enterMachine();
    else if (scene.name === 'question') this.#set.pause();
    else if (scene.name === 'recovery') this.#set.deployFix();
    else if (inProduction && (before === undefined || before === 'machine' || before === 'question')) this.#set.enterProduction();
    else this.#set.play();
    this.#from_us = this.#set.moment();
  }

  #beat(passed_ms: number) {
    const { scene } = this;
    if (!scene) return;
    this.#passed_ms += passed_ms;
    const [cursor_us, over] = [this.#set.moment(), this.#set.isOver()];
    const share = scene.until_us === null ? this.#passed_ms / scene.lasts_ms : (cursor_us - this.#from_us) / Math.max(1, scene.until_us - this.#from_us);
    this.progress = (this.#lasted(this.#place) + scene.lasts_ms * Math.min(1, Math.max(0, share))) / this.#lasted(this.#scenes.length);
    const done = scene.until_us === null ? this.#passed_ms >= scene.lasts_ms : cursor_us >= scene.until_us || (over && this.#passed_ms > scene.lasts_ms);
    if (done) this.#enter(this.#place + 1);
  }

  #lasted(scenes: number): number {
    return this.#scenes.slice(0, scenes).reduce((sum, { lasts_ms }) => sum + lasts_ms, 0);
  }
}
