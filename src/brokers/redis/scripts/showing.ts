/**
 * Answers with messages, in Lua: all as one text, which ioredis reads much faster than many. Each message is its number, its
 * receive count and its record, with a space between these, and then `separator`: a random text, so that no message has it.
 * `shownMessages` (record.ts) reads it.
 */

/** The separator is the last value that the script takes. */
export const SHOWN = `
local separator = ARGV[#ARGV]
local shown = {}

local function show(number, receive_count, record)
  local end_of_shown = #shown
  shown[end_of_shown + 1] = number .. ' ' .. receive_count .. ' '
  shown[end_of_shown + 2] = record
  shown[end_of_shown + 3] = separator
end

local function all_shown()
  return table.concat(shown)
end
`;
