#include "monitor/command_line.h"

#include <getopt.h>

#include <vector>

namespace mooring {

Status parse_options(int argc, char** argv, std::span<const Option> options) {
  std::vector<option> table;
  for (const Option& each : options) table.push_back({each.name, required_argument, nullptr, 0});
  table.push_back({});
  std::vector<bool> seen(options.size());
  opterr = 0;
  optind = 1;
  for (;;) {
    int index = 0;
    const int which = ::getopt_long(argc, argv, ":", table.data(), &index);
    if (which == -1) break;
    if (which == ':') return Error{std::string(argv[optind - 1]) + " wants a value", 0};
    if (which == '?') return Error{std::string("unknown option ") + argv[optind - 1], 0};
    const size_t at = static_cast<size_t>(index);
    MOORING_TRY(options[at].take(optarg));
    seen[at] = true;
  }
  if (optind < argc) return Error{std::string("unexpected argument \"") + argv[optind] + "\"", 0};
  for (size_t i = 0; i < options.size(); ++i)
    if (!seen[i] && !options[i].optional) return Error{std::string("--") + options[i].name + " is missing", 0};
  return ok();
}

Status parse_path(const char* name, std::string_view text, std::string& path) {
  if (text.empty() || text.front() != '/') return Error{std::string("--") + name + " wants an absolute path, not \"" + std::string(text) + "\"", 0};
  path = text;
  return ok();
}

Status parse_standard_input(const char* name, std::string_view text, StandardInput& input) {
  if (text == "none")
    input = StandardInput::kNone;
  else if (text == "open")
    input = StandardInput::kOpen;
  else if (text == "once")
    input = StandardInput::kOnce;
  else
    return Error{std::string("--") + name + " wants none, open or once, not \"" + std::string(text) + "\"", 0};
  return ok();
}

}  // namespace mooring
