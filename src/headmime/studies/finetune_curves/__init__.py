"""Study of the length of fine-tuning: identity against motion, over updates."""
