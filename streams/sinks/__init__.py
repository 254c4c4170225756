"""Where results go: KPI topics, Prometheus."""
