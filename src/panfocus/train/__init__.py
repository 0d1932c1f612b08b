"""Training: the only part of panfocus that imports torch (extra ``train``)."""
