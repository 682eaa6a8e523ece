"""Types into a program on a terminal: `terminal.py EXPECTED TYPED [EXPECTED TYPED]... -- PROGRAM ARGUMENT...`.

Waits until each EXPECTED text was shown (after what was shown before), then types TYPED and Enter.
Prints all that is shown, as soon as it is, and ends with the program's own code.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 20


def main():
    cut = sys.argv.index("--")
    script, command = sys.argv[1:cut], sys.argv[cut + 1 :]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    steps = list(zip(script[::2], script[1::2]))
    shown, from_here = b"", 0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if steps:
            place = shown.find(steps[0][0].encode(), from_here)
            if place >= 0:
                from_here = place + len(steps[0][0].encode())
                os.write(terminal, steps.pop(0)[1].encode() + b"\r")
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        sys.stdout.buffer.write(piece)
        sys.stdout.flush()
    else:
        os.kill(pid, 9)
    if steps:
        print(f"\nnever shown: {steps[0][0]}", file=sys.stderr)
    _, status = os.waitpid(pid, 0)
    sys.exit(1 if steps else os.waitstatus_to_exitcode(status))


main()
