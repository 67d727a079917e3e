"""Protective noise: a portrait changed invisibly so that this method animates it worse."""
