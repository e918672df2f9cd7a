// Where a talk stands, in the address: `#oversell/talk/3` is its third beat, `#oversell/talk` the time before the first.

const TALK = /^#([a-z][a-z0-9-]*)\/talk(?:\/(\d{1,3}))?$/;

export interface TalkAddress {
  scenario: string;
  /** From 0; -1: before the first. */
  beat: number;
}

/** Null: it is not a talk's. */
export function readTalk(hash: string): TalkAddress | null {
  const [, scenario, place] = TALK.exec(hash) ?? [];
  return scenario === undefined ? null : { scenario, beat: Number(place ?? 0) - 1 };
}

export function talkAddress({ scenario, beat }: TalkAddress): string {
  return beat < 0 ? `#${scenario}/talk` : `#${scenario}/talk/${beat + 1}`;
}
