"""Provenance of outputs: content credentials, watermark, visible label, verification."""
