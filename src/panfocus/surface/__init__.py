"""The surface that a stack shows: a height map to look at, a mesh."""
