"""What a part, a loss or a setting buys: short trainings with one thing changed each."""
