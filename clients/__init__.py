"""One subscriber a transport: it connects, hands over messages, resumes, closes. It knows nothing of benchmarks."""
