"""Names of the kinds of made scenes; light, since every start of the command line imports them."""

#: Keys of `panfocus.synthesis.scenes.KINDS`, and of `MOVING_KINDS` last.
NAMES = ("hard", "layers", "hair", "translucent", "depth", "bokeh", "void", "breathing")
