"""Lightning's strategy for several processes with explicit gradient averaging."""

from pytorch_lightning.strategies import DDPStrategy


class ManualDDPStrategy(DDPStrategy):
    """One externally launched process per device. Skips the DDP wrapper: `training_step` averages
    gradients explicitly, and no parameters or buffers are broadcast.
    """

    def configure_ddp(self) -> None:
        """Do not wrap the module."""
