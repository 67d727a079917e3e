"""Frozen pretrained networks: loading of their weights, and their input conventions."""
