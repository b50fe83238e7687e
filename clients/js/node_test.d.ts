/** As much of Node's test modules as the tests use, so that checking types needs no package. */
declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
}
declare module "node:assert/strict" {
  const assert: {
    equal(actual: unknown, expected: unknown): void;
    deepEqual(actual: unknown, expected: unknown): void;
    match(text: string, pattern: RegExp): void;
    ok(value: unknown): void;
    throws(run: () => void, error?: unknown): void;
  };
  export default assert;
}
