"""Scenes with known truth: what a lens, a microscope and a sensor make of sharp pictures.

- `defocus`: circles of confusion in linear light. `layers`: the equation by which layers add up.
- `mattes`, `motion`: shapes of things, and how frames lie against the truth.
- `focal_pairs`, `focal_stacks`, `depth_maps`, `breathing`: kinds of scenes; `scenes` lists them.
- `fluorescence`: light in the dark, sections, photons.
- `material`, `sets`: from pictures in files to sets in folders.
"""
