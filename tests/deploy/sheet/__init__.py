"""The dashboards as pictures, drawn from what Prometheus answers.

No Grafana is asked: this shows the data, the layout, the units and the colors as the files describe
them, so that a person can judge them; it is not how Grafana would place each letter.
"""
