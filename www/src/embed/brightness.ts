/** Whether a colour, as a computed style writes it, is light: text of it stands on something dark. */
export function isLight(colour: string): boolean {
  const [first = 0, second = 0, third = 0] = (colour.replace(/^color\(\S+/, '').match(/[\d.]+/g) ?? []).map(Number);
  // These say their lightness first.
  if (/^ok(lab|lch)/.test(colour)) return first > 0.6;
  if (/^(lab|lch)/.test(colour)) return first > 60;
  const brightness = 0.3 * first + 0.59 * second + 0.11 * third;
  return brightness > (colour.startsWith('color(') ? 0.55 : 140);
}
