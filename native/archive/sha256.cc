#include "archive/sha256.h"

// The plain functions: what OpenSSL 3 wants in their place loads providers, from files that are out of reach.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <cstdio>

namespace mooring {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { ::SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { ::SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

std::string Sha256::digest() {
  unsigned char bytes[SHA256_DIGEST_LENGTH];
  ::SHA256_Final(bytes, &state_->context);
  std::string text;
  for (const unsigned char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

}  // namespace mooring
