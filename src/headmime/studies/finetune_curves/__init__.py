"""How long to fine-tune: identity against motion, over updates."""
