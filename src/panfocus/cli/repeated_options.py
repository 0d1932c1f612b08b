"""Options that take several words: ``--sources A B C``, and names by commas."""

from __future__ import annotations

import click


class ManyCommand(click.Command):
    """Lets an option that may be repeated take several words: ``--sources A B C``.

    Only for commands without arguments of their own, where a bare word can mean nothing else.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, an option that may be repeated before each of its values."""
        many = {
            n for o in self.params if isinstance(o, click.Option) and o.multiple for n in o.opts
        }
        return super().parse_args(ctx, repeat_options(args, many))


def repeat_options(args: list[str], many: set[str]) -> list[str]:
    """Return ``--x A --x B`` for ``--x A B``.

    Args:
        args: words of the command line.
        many: names of options that may be repeated.
    """
    out: list[str] = []
    current = ""
    fresh = False
    for word in args:
        if word.startswith("-") and word != "-":
            name, is_joined, _ = word.partition("=")
            current, fresh = (name if name in many else ""), not is_joined
        elif current:
            out += [] if fresh else [current]
            fresh = False
        out.append(word)
    return out


def names_by_comma(
    _ctx: click.Context, _option: click.Parameter, value: str | None
) -> list[str] | None:
    """Split names by commas; None for none."""
    names = [name.strip() for name in (value or "").split(",")]
    return [name for name in names if name] or None
