#!/usr/bin/python3
"""Reads http://…/metrics with Prometheus' own parser and checks what a scraper relies on. Usage: metrics.py URL WORKERS"""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

NAMES = {
    "dataparallel_samples_completed": "counter",
    "dataparallel_samples_failed": "counter",
    "dataparallel_batch_latency_seconds": "histogram",
    "dataparallel_worker_up": "gauge",
    "dataparallel_build_info": "gauge",
    "dataparallel_process_cpu_seconds": "counter",
    "dataparallel_process_resident_memory_bytes": "gauge",
}


def main():
    url, workers = sys.argv[1], int(sys.argv[2])
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
        families = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
    for name, kind in NAMES.items():
        assert families[name].type == kind, f"{name} is a {families[name].type}"
    for family in families.values():
        assert family.documentation and family.type != "unknown", f"{family.name} has no HELP or TYPE"
        if family.type == "counter":
            assert all(s.name.endswith("_total") for s in family.samples), family.name
    up = families["dataparallel_worker_up"].samples
    assert len(up) == workers, f"{len(up)} workers"
    latency = families["dataparallel_batch_latency_seconds"].samples
    buckets = [s.value for s in latency if s.name.endswith("_bucket")]
    count = next(s.value for s in latency if s.name.endswith("_count"))
    assert buckets == sorted(buckets) and buckets[-1] == count > 0, "the buckets are not cumulative"
    roles = {s.labels["role"] for s in families["dataparallel_process_cpu_seconds"].samples}
    assert roles == {"dp-stream", "dp-route", "dp-infer", "dp-collect"}, roles
    print(int(families["dataparallel_samples_completed"].samples[0].value))


if __name__ == "__main__":
    main()
