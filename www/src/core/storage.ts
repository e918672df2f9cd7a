// What stays in this browser: the theme and the reader's edits. Storage may be full or forbidden; then nothing is
// kept and the page says so once.

const PREFIX = 'twoam.';

export function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Whether it was kept. */
export function keep(key: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
    return true;
  } catch {
    return false;
  }
}

export function readEdits(scenario: string): { [file in string]: string } {
  const text = read(`edits.${scenario}`);
  if (!text) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}

export function keepEdits(scenario: string, edits: { [file in string]: string }): boolean {
  return keep(`edits.${scenario}`, Object.keys(edits).length === 0 ? null : JSON.stringify(edits));
}
