/** What has the same name stands together; groups and members come in the order in which they were met. */
export function grouping<T>(things: readonly T[], nameOf: (thing: T) => string): [name: string, members: T[]][] {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const name = nameOf(thing);
    const members = groups.get(name);
    if (members) members.push(thing);
    else groups.set(name, [thing]);
  }
  return [...groups];
}
