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
