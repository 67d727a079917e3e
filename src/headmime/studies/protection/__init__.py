"""What protective noise is worth, beside uniform noise, and after what platforms do to images."""
