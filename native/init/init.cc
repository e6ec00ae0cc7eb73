// The first process of a container with spec.init: waits for the image's program, which is its child, passes signals on to it, and reaps what others left behind.
//
// A program of its own, with no library: a page or two of memory, and nothing in it of the runtime, whose file a container must not come near (CVE-2019-5736).
// It is run from a sealed memfd, with every signal blocked and no descriptor open. argv[1] is the program's pid.

namespace {

#if defined(__x86_64__)
constexpr long kWait4 = 61, kKill = 62, kExit = 60, kSigtimedwait = 128;

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  long result;
  register long r10 asm("r10") = d;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
constexpr long kWait4 = 260, kKill = 129, kExit = 93, kSigtimedwait = 137;

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "the init has no system calls for this architecture yet"
#endif

constexpr int kSigchld = 17, kNoHang = 1, kEintr = 4, kUnknown = 255;

long pid_from(const char* text) {
  long pid = 0;
  for (; *text >= '0' && *text <= '9'; ++text) pid = pid * 10 + (*text - '0');
  return pid;
}

/// Takes the dead away; ends with the program, as it did (a shell's 128 + n where signal n ended it).
void reap(long program, int options) {
  for (;;) {
    int status = 0;
    const long ended = call(kWait4, -1, reinterpret_cast<long>(&status), options);
    if (ended == -kEintr) continue;
    if (ended < 0) call(kExit, kUnknown);  // nobody is left to wait for, or a seccomp filter forbids it
    if (ended == 0) return;
    if (ended != program) continue;
    const int signal = status & 0x7f;
    call(kExit, signal == 0 ? (status >> 8) & 0xff : 128 + signal);
  }
}

}  // namespace

/// `stack`: what execve has left there, which is argc, then argv.
extern "C" [[noreturn]] void run(const long* stack) {
  const long program = pid_from(reinterpret_cast<const char*>(stack[2]));
  const unsigned long all = ~0ul;
  for (;;) {
    reap(program, kNoHang);
    const long signal = call(kSigtimedwait, reinterpret_cast<long>(&all), 0, 0, sizeof all);
    if (signal < 0 && signal != -kEintr) reap(program, 0);  // a seccomp filter forbids it: then without passing signals on
    if (signal > 0 && signal != kSigchld) call(kKill, program, signal);
  }
}

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call run\n");
#else
asm(".globl _start\n_start:\n  mov x29, #0\n  mov x0, sp\n  bl run\n");
#endif
