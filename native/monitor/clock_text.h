// Instants as RFC 3339 text in UTC, always with nine digits of fraction, so that they sort as text.
#pragma once

#include <array>
#include <ctime>
#include <string>

namespace mooring {

/// `2026-01-02T03:04:05.678901234Z`
constexpr size_t kTimeTextLength = 30;

timespec now();

/// Allocates nothing, and knows no time zone. Years 0–9999.
std::array<char, kTimeTextLength> time_text(const timespec& instant);

std::string time_string(const timespec& instant);

}  // namespace mooring
