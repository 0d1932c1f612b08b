"""The campaign: hostile inputs and surroundings, and what panfocus does with them.

    python -m fuzz --seconds 600

Every case runs panfocus in a process and a folder of its own. It is wrong if it ends in a
traceback, a signal or words of Python's; if it hangs or takes more memory than was allowed; if it
ends badly without a word; or if a file is lost, changed, or left that nobody announced.
"""
