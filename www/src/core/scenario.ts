// What the page knows of every scenario, whatever its document says.

export const NAIVE = 'naive';
export const SCHEMA_FILE = 'schema.sql';

export function isNaive(variant: string): boolean {
  return variant === NAIVE;
}

/** The name of one variant in one environment, as recordings have it. */
export function corner(variant: string, environment: string): string {
  return `${variant}.${environment}`;
}
