"""Study of detectability: fake detectors, tested on people not used for training them."""
