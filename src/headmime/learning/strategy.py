"""How Lightning runs several processes that reduce their gradients themselves."""

from pytorch_lightning.strategies import DDPStrategy


class ManualDDPStrategy(DDPStrategy):
    """One process per device, started by somebody else, and no wrapper around the module: nothing
    is broadcast (W least of all), and gradients meet only where the training step says so.
    """

    def configure_ddp(self) -> None:
        """Leave the module as it is."""
