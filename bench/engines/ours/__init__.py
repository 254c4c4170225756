"""Our engine: the jobs as stages of our own on the product's runtime (``streams.runtime``)."""
