"""Defocus spread: what lies in front, out of focus, throws light over what lies behind it.

Beside the edge of a near thing no frame of a pair is right: in the one that is focused on what lies
behind, the blur of the near thing lies over it, and in the other all that lies behind is blurred.
`panfocus.fusion.spread.mending` takes that light away again, where both frames bear out that it
lies there.

One picture of a lens explains both frames (`panfocus.synthesis.layers`), with ``F`` the light and
``m`` the matte of the near thing, ``B`` that of the far one, and a blur for each:

    near frame = F m + (1 - m) blur_b(B)
    far frame  = blur_f(F m) + (1 - blur_f(m)) B

Modules: `radius` (how wide both blurs are), `edge` (where the near thing ends), `layers` (the
light behind), `evidence` (which of both lies in front, and whether the picture of the lens holds),
`mending` (the picture).
"""
