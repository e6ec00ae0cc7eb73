// Instants as RFC 3339 text in UTC, always with nine digits of fraction, so that they sort as text.
#pragma once

#include <array>
#include <ctime>
#include <string>
#include <string_view>

namespace mooring {

/// `2026-01-02T03:04:05.678901234Z`
constexpr size_t kTimeTextLength = 30;

timespec now();

/// Milliseconds of a clock that nobody sets.
long long monotonic_ms();

/// Seconds since the epoch of what time_text gave; -1 for anything else.
time_t parse_time_text(std::string_view text);

/// Allocates nothing, and knows no time zone. Years 0–9999.
std::array<char, kTimeTextLength> time_text(const timespec& instant);

std::string time_string(const timespec& instant);

}  // namespace mooring
