"""Runs a command on a terminal, as a person would: python3 terminal.py STEPS COMMAND [ARGUMENT]...

STEPS is JSON: ["expect", TEXT] waits for it behind what was expected before, ["send", TEXT] types, ["until", TEXT, SENT] types SENT again and again
until TEXT is seen (a key may overtake the news of another size), ["size", ROWS, COLUMNS] sizes the window, ["signal", NUMBER] sends a signal. Prints as JSON what the command wrote, its exit status, and whether it left the terminal as it was.
"""
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

PATIENCE_S = 20

master, slave = pty.openpty()
output = b''
seen = 0


def size(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


def read(seconds):
    global output
    if select.select([master], [], [], seconds)[0]:
        output += os.read(master, 65536)


def expect(text, resend=None):
    global seen
    deadline = time.monotonic() + PATIENCE_S
    sent_at = 0
    while True:
        at = output.find(text.encode(), seen)
        if at >= 0:
            seen = at + len(text)
            return
        if resend is not None and time.monotonic() > sent_at + 0.5:
            os.write(master, resend.encode())
            sent_at = time.monotonic()
        if time.monotonic() > deadline or command.poll() is not None:
            command.kill()
            sys.exit(f'{text!r} was not seen in {output[seen:]!r}')
        read(0.1)


size(24, 80)
before = termios.tcgetattr(slave)
command = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
for step, *arguments in json.loads(sys.argv[1]):
    if step in ('expect', 'until'):
        expect(*arguments)
    elif step == 'send':
        os.write(master, arguments[0].encode())
    elif step == 'size':
        size(*arguments)
    elif step == 'signal':
        command.send_signal(arguments[0])
deadline = time.monotonic() + PATIENCE_S
while command.poll() is None and time.monotonic() < deadline:
    read(0.05)
if command.poll() is None:
    command.kill()
    sys.exit(f'the command goes on: {output[seen:]!r}')
while select.select([master], [], [], 0.05)[0]:
    read(0)
print(json.dumps({'output': output.decode(errors='replace'), 'code': command.returncode, 'restored': termios.tcgetattr(slave) == before}))
