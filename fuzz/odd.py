"""Values that an option cannot have: numbers, texts, names of files."""

from __future__ import annotations

import os

#: What is no number, or none that anything can be.
NUMBERS = (
    "nan", "-nan", "inf", "-inf", "1e999", "-1e999", "1e308", "1e-320", "9" * 5000, "-1", "-0", "0",
    "0.0", "²", "１２", "٣", "0x10", "1_000", "1__0", "_1", "1e3", "1.5", "1,5", "+1", "1 ", "x",
    "None", "true", "2147483648", "4294967296", "9223372036854775808", "18446744073709551616", "½",
    "1/2", "[1]", "1;2", "1..2", "\u22121",
)  # fmt: skip
#: Texts that no name, choice or list is.
TEXTS = (
    "nan", "9" * 5000, "²", "x" * 300, "\ud800", "\x1b[31m", ",", ",,,", "=", "a=", "=a", "../x",
    "/", "T=0", "Z=9-1", "Z=-1", "T=²", f"Z=0-{'9' * 30}", "{z}", "(", "*", "\n", "\u202e", "None",
    "0,1",
    "guided,guided", "a:b", ":", "none:none", "os:getcwd", "json:loads", "sys:exit", "-", "--",
    "1um", "-1um", "nanum", "1e999um", "１um", "0um", "1 parsec", "9" * 400 + "um", "zyx", "ZZ",
    "QZYX", "T" * 3000, "=1+1", "tcp://127.0.0.1:1", "tcp://[", "http://127.0.0.1:1/x",
)  # fmt: skip
#: Names of files that are no files, or odd ones; those that `lay_odd` makes are here.
FILES = (
    "pipe", "pipe.png", "socket", "socket.png", "/dev/zero", "/dev/null", "/dev/full",
    "/dev/urandom", "/proc/self/mem", "/proc/self/fd/0", "loop", "loop.png", "loop/x.png",
    "broken.png", "empty", "empty.png", "empty/", "noise.png", "noise", "text.txt", "sparse.png",
    "sparse.tif", "sparse.json", "closed/x.png", "f0.png/x.png", "~nosuchuser/x.png", "x" * 300,
    "a\0b.png", os.fsdecode(b"\xff\xfe.png"), "\ud800.png", "a\nb.png", "/", ".", "..", "-",
    "f0.png", "./f0.png", "link.png", "hard.png", "F0.PNG", "out.png", "zip.png", "con.png",
    "a:b.png", "[",
    "*.png", "**", "file:///etc/passwd", "http://127.0.0.1:1/x.png", "C:\\x.png", "\\\\h\\s\\x.png",
    "x.panfocus.json", "y/" * 200 + "x.png",
)  # fmt: skip
