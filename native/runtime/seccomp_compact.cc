#include "seccomp_compact.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <set>

namespace mooring {
namespace {

using Program = std::vector<sock_filter>;

constexpr uint16_t load = BPF_LD | BPF_W | BPF_ABS;
constexpr uint16_t give = BPF_RET | BPF_K;
constexpr uint16_t jump = BPF_JMP | BPF_JA;
constexpr uint16_t if_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr uint16_t if_at_least = BPF_JMP | BPF_JGE | BPF_K;
constexpr uint16_t if_above = BPF_JMP | BPF_JGT | BPF_K;
constexpr uint16_t mask = BPF_ALU | BPF_AND | BPF_K;
constexpr uint32_t at_number = offsetof(seccomp_data, nr);
constexpr uint32_t at_architecture = offsetof(seccomp_data, arch);

// What becomes of a call: an action, or the place in the program from where its arguments are looked at.
struct Outcome {
  bool decided = false;
  uint32_t value = 0;  // the action, or the index
  bool operator==(const Outcome&) const = default;
};

struct Range {
  uint32_t first = 0;
  Outcome outcome;
};

bool known(const Program& program) {
  return std::all_of(program.begin(), program.end(), [](const sock_filter& one) {
    return one.code == load || one.code == give || one.code == jump || one.code == if_equal || one.code == if_at_least || one.code == if_above || one.code == mask;
  });
}

// Runs the program with a known architecture and number up to its end or its first look at anything else.
std::optional<Outcome> run(const Program& program, uint32_t architecture, uint32_t number) {
  uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& one = program[at];
    switch (one.code) {
      case load:
        if (one.k != at_number && one.k != at_architecture) return Outcome{false, static_cast<uint32_t>(at)};
        accumulator = one.k == at_number ? number : architecture;
        break;
      case give: return Outcome{true, one.k};
      case jump: at += one.k; break;
      case if_equal: at += accumulator == one.k ? one.jt : one.jf; break;
      case if_at_least: at += accumulator >= one.k ? one.jt : one.jf; break;
      case if_above: at += accumulator > one.k ? one.jt : one.jf; break;
      default: return {};  // arithmetic on a number or an architecture: then comparisons no longer bound the ranges
    }
  }
  return {};
}

// The only numbers at which an answer can change: those that the program compares with, and the ones after.
std::set<uint32_t> turning_points(const Program& program) {
  std::set<uint32_t> points{0};
  for (const sock_filter& one : program) {
    if (one.code != if_equal && one.code != if_at_least && one.code != if_above) continue;
    points.insert(one.k);
    if (one.k != UINT32_MAX) points.insert(one.k + 1);
  }
  return points;
}

std::optional<std::vector<Range>> ranges_of(const Program& program, uint32_t architecture) {
  std::vector<Range> ranges;
  for (const uint32_t number : turning_points(program)) {
    const auto outcome = run(program, architecture, number);
    if (!outcome) return {};
    if (ranges.empty() || !(ranges.back().outcome == *outcome)) ranges.push_back({number, *outcome});
  }
  return ranges;
}

// The part of the program that can be reached from `start`, in its order, its jumps bent to fit.
Program extract(const Program& program, std::size_t start) {
  std::vector<bool> reached(program.size());
  reached[start] = true;
  for (std::size_t at = start; at < program.size(); ++at) {
    const sock_filter& one = program[at];
    if (!reached[at] || one.code == give) continue;
    if (one.code == jump) {
      reached[at + 1 + one.k] = true;
    } else if (BPF_CLASS(one.code) == BPF_JMP) {
      reached[at + 1 + one.jt] = true;
      reached[at + 1 + one.jf] = true;
    } else {
      reached[at + 1] = true;
    }
  }
  std::vector<std::size_t> place(program.size());
  std::size_t count = 0;
  for (std::size_t at = start; at < program.size(); ++at)
    if (reached[at]) place[at] = count++;
  Program part;
  for (std::size_t at = start; at < program.size(); ++at) {
    if (!reached[at]) continue;
    sock_filter one = program[at];
    const auto distance = [&](std::size_t offset) { return place[at + 1 + offset] - place[at] - 1; };
    if (one.code == jump) {
      one.k = static_cast<uint32_t>(distance(one.k));
    } else if (BPF_CLASS(one.code) == BPF_JMP) {
      one.jt = static_cast<uint8_t>(distance(one.jt));  // never farther than before
      one.jf = static_cast<uint8_t>(distance(one.jf));
    }
    part.push_back(one);
  }
  return part;
}

void append(Program& program, const Program& more) { program.insert(program.end(), more.begin(), more.end()); }

Program tree(const Program& program, const Range* begin, const Range* end) {
  if (end - begin == 1) {
    if (begin->outcome.decided) return {{give, 0, 0, begin->outcome.value}};
    return extract(program, begin->outcome.value);
  }
  const Range* middle = begin + (end - begin) / 2;
  const Program low = tree(program, begin, middle);
  Program code;
  if (low.size() <= UINT8_MAX) {
    code.push_back({if_at_least, static_cast<uint8_t>(low.size()), 0, middle->first});
  } else {
    code.push_back({if_at_least, 0, 1, middle->first});
    code.push_back({jump, 0, 0, static_cast<uint32_t>(low.size())});
  }
  append(code, low);
  append(code, tree(program, middle, end));
  return code;
}

std::optional<Program> compact(const Program& program, const std::vector<uint32_t>& architectures) {
  if (!known(program)) return {};
  Program code{{load, 0, 0, at_architecture}};
  for (const uint32_t architecture : architectures) {
    const auto ranges = ranges_of(program, architecture);
    if (!ranges) return {};
    const Program branch = tree(program, ranges->data(), ranges->data() + ranges->size());
    code.push_back({if_equal, 1, 0, architecture});
    code.push_back({jump, 0, 0, static_cast<uint32_t>(branch.size() + 1)});
    code.push_back({load, 0, 0, at_number});
    append(code, branch);
  }
  const auto others = ranges_of(program, 0);  // no architecture has this number
  if (!others || others->size() != 1 || !others->front().outcome.decided) return {};
  code.push_back({give, 0, 0, others->front().outcome.value});
  return code;
}

}  // namespace

std::string compact_seccomp(const std::string& text, const std::vector<uint32_t>& architectures) {
  Program program(text.size() / sizeof(sock_filter));
  std::memcpy(program.data(), text.data(), program.size() * sizeof(sock_filter));
  const auto shorter = compact(program, architectures);
  if (!shorter || shorter->size() >= program.size()) return text;
  return std::string(reinterpret_cast<const char*>(shorter->data()), shorter->size() * sizeof(sock_filter));
}

}  // namespace mooring
