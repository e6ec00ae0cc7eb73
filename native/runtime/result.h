// Results instead of exceptions: every failing call says what was being done, to which object, and the errno.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace mooring {

struct Error {
  std::string message;  // "mount proc on /proc: Operation not permitted"
  int code = 0;         // errno, or 0 where no system call failed
};

/// An Error from the current errno: `what` names the call and its object, "open /etc/passwd".
inline Error sys_error(std::string what) {
  const int code = errno;
  return Error{std::move(what) + ": " + std::strerror(code), code};
}

/// Either a T or the Error that kept it from being made.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

struct Unit {};
using Status = Result<Unit>;
inline Status ok() { return Unit{}; }

}  // namespace mooring

// Returns the error of a failed Status or Result from the enclosing function.
#define MOORING_TRY(expression)                                  \
  do {                                                           \
    if (auto mooring_try_ = (expression); !mooring_try_)         \
      return std::move(mooring_try_.error());                    \
  } while (0)
