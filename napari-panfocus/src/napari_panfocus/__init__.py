"""panfocus in napari: focal stacks fused, and a system trained on them."""
