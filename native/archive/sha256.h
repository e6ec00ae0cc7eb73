// SHA-256 of bytes as they come.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace mooring {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  /// Of all that came, in hexadecimal digits. Nothing may come after.
  std::string digest();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace mooring
