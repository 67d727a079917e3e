"""One real update at the paper's size: 256x256, K = 8, both VGGs with random weights."""

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape
from headmime.pretrained.caffe_vgg import VGG19_TAPS, VGGFACE_TAPS, CaffeVGG
from headmime.pretrained.vgg import VGG16, VGG19, VGGStack


def random_vgg(make: Callable[..., nn.Module], stages: tuple, taps: tuple) -> VGGStack:
    return VGGStack(make(weights=None).state_dict(), stages, taps, "random")


@pytest.mark.slow
def test_a_paper_size_update_is_finite_and_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    vgg19 = random_vgg(torchvision.models.vgg19, VGG19, VGG19_TAPS)
    vggface = random_vgg(torchvision.models.vgg16, VGG16, VGGFACE_TAPS)
    module = MetaLearning(
        build_nets(ModelShape()), 3, CaffeVGG(vgg19, vggface, {}), LossWeights(), Optimisation()
    )
    optimisers = module.configure_optimizers()
    module.optimizers = lambda: optimisers
    module.manual_backward = lambda loss: loss.backward()
    row_gradients = []
    module.video_embeddings.update = lambda i, gradient: row_gradients.append(gradient.clone())
    sizes = {"x_s": (1, 8), "y_s": (1, 8), "x_t": (1,), "y_t": (1,)}
    batch = {name: torch.rand(*size, 3, 256, 256) * 2 - 1 for name, size in sizes.items()}

    terms = module.training_step(batch | {"row": torch.tensor([1])}, 0)

    assert all(term.isfinite() for term in terms.values())
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        if name != "discriminator.b":  # 1 - 1 = 0 exactly, as long as no hinge is saturated
            assert parameter.grad.any(), name
    assert len(row_gradients) == 2
    assert all(gradient.any() for gradient in row_gradients)
