"""Whether a signal that ends the work has been heard by whoever has taken signals over.

The command line ends a process at once whose libraries keep it from hearing; what ends in its own
time, such as a training that finishes its step, says here that it has heard.
"""

from __future__ import annotations

from threading import Event

#: Set once, and cleared where a command begins.
HEARD = Event()
#: Set while something is at work that ends in its own time, and may not hear for a while: a step
#: of training is one call of a library.
PATIENT = Event()
