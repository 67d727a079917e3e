"""Study that tests the paper's claims."""
