// Any Unicode character, for the texts of property specs.
import fc from 'fast-check';

const SURROGATES_FROM = 0xd800;
const SURROGATES = 0x800;

/** For `fc.string`. The same characters as its own unit `binary`, which takes two seconds of CPU time to set up. */
export const codePoint = fc
  .integer({ min: 0, max: 0x10ffff - SURROGATES })
  .map((number) => String.fromCodePoint(number < SURROGATES_FROM ? number : number + SURROGATES));
