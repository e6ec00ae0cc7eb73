// Linked into what runs under the sanitizers, which ask for it before main(): a container gives its processes no environment of ours.

// Leaks are not looked for: libseccomp has some, of profiles that it refuses, and the processes that compile end soon after.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }
