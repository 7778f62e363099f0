"""The register of hypotheses and its verdicts."""
