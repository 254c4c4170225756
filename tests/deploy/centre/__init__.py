"""A simulated contact centre, its scrapes as history, and a real Prometheus that holds them."""
