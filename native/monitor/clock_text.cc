#include "monitor/clock_text.h"

#include <chrono>

namespace mooring {

namespace {

void put_digits(char* out, unsigned long value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

timespec now() {
  timespec instant{};
  ::clock_gettime(CLOCK_REALTIME, &instant);
  return instant;
}

long long monotonic_ms() {
  timespec instant{};
  ::clock_gettime(CLOCK_MONOTONIC, &instant);
  return instant.tv_sec * 1000LL + instant.tv_nsec / 1'000'000;
}

time_t parse_time_text(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00T00:00:00.000000000Z";
  if (text.size() != shape.size()) return -1;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return -1;
  const auto number = [&](size_t at, size_t length) {
    int value = 0;
    for (size_t i = at; i < at + length; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  using namespace std::chrono;
  const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))}, day{static_cast<unsigned>(number(8, 2))}};
  if (!date.ok()) return -1;
  return (sys_days{date} + hours{number(11, 2)} + minutes{number(14, 2)} + seconds{number(17, 2)}).time_since_epoch().count();
}

std::array<char, kTimeTextLength> time_text(const timespec& instant) {
  using namespace std::chrono;
  const sys_seconds second{seconds{instant.tv_sec}};
  const sys_days day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};

  std::array<char, kTimeTextLength> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', '0', '0', '0', 'Z'};
  put_digits(&text[0], static_cast<unsigned long>(static_cast<int>(date.year())), 4);
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  put_digits(&text[11], static_cast<unsigned long>(time.hours().count()), 2);
  put_digits(&text[14], static_cast<unsigned long>(time.minutes().count()), 2);
  put_digits(&text[17], static_cast<unsigned long>(time.seconds().count()), 2);
  put_digits(&text[20], static_cast<unsigned long>(instant.tv_nsec), 9);
  return text;
}

std::string time_string(const timespec& instant) {
  const auto text = time_text(instant);
  return {text.data(), text.size()};
}

}  // namespace mooring
