"""
The terminal of a program that a container runtime (runc, crun) starts by `exec --detach --console-socket`: what comes on
stdin is typed, and waits until it is taken; what the terminal shows goes to stdout, until the program has ended.

console.py FOLDER COMMAND...: in FOLDER, which is removed once it has served, the command finds the socket, and leaves the
program's id in `pid`. What keeps the program from starting is shown in its place.
"""

import ctypes
import os
import select
import shutil
import socket
import subprocess
import sys
import threading

PR_SET_CHILD_SUBREAPER = 36
# A program may leave others at its terminal; what it has shown itself comes within this time of its end.
LAST_SECONDS = 0.2


def start(folder, command):
    """Runs the command; gives the terminal and the program's id."""
    # The program is nobody's child when the command has ended: it is to be ours, so that its end is seen and noticed.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(folder, "socket"))
        listener.listen(1)
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(show((ran.stderr.strip() + "\r\n").encode()))
        connection, _ = listener.accept()
        with connection:
            _, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
    with open(os.path.join(folder, "pid"), encoding="ascii") as file:
        return descriptors[0], int(file.read())


def show(data):
    write(1, data)


def write(descriptor, data):
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def type_in(terminal):
    try:
        while typed := os.read(0, 65536):
            write(terminal, typed)
    except OSError:
        # Nobody has the terminal open any more.
        pass


def relay(terminal, pid):
    ending = os.pidfd_open(pid)
    ended = False
    while True:
        watched = [terminal] if ended else [terminal, ending]
        ready, _, _ = select.select(watched, [], [], LAST_SECONDS if ended else None)
        ended = ended or ending in ready
        if terminal in ready:
            try:
                show(os.read(terminal, 65536))
            except OSError:
                return
        elif ended:
            return


def main():
    folder, *command = sys.argv[1:]
    try:
        terminal, pid = start(folder, command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    threading.Thread(target=type_in, args=(terminal,), daemon=True).start()
    relay(terminal, pid)
    os.waitpid(pid, 0)
    # The other thread may wait for ever for something to be typed.
    os._exit(0)


main()
