"""What Signalbox reaches, measured beside its peers: `python -m benchmarks [name …]`."""
