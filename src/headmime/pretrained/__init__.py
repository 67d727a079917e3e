"""Frozen networks that others trained: where their weights come from, and what they expect."""
