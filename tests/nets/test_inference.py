import pytest
import torch
from torch import Tensor

from headmime.animate.model import load
from headmime.animate.person import bundled_people
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import embed
from headmime.nets import Nets, build_nets
from headmime.nets.inference import for_inference, packed
from headmime.nets.personal import personalise
from headmime.nets.shape import ModelShape
from headmime.pixels import to_tensor


def drawings(size: int, n: int = 2) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(n, 3, size, size) * 2 - 1


def test_the_inference_graph_makes_the_training_graph_s_images(nets: Nets) -> None:
    G, y = personalise(nets.generator, nets.discriminator, torch.rand(8)).generator, drawings(16)
    torch.testing.assert_close(for_inference(G, G.psi)(y), G(y), rtol=0, atol=1e-5)


def test_it_takes_the_meta_learned_generator_with_a_person_s_parameters(nets: Nets) -> None:
    psi, y = nets.generator.project(torch.rand(1, 8)), drawings(16)
    expected = nets.generator(y, psi.expand(2, -1))
    graph = for_inference(nets.generator, psi[0])
    torch.testing.assert_close(graph(y), expected, rtol=0, atol=1e-5)


def test_wide_layers_too() -> None:
    """More channels than those up to which pooling is folded into the convolution."""
    torch.manual_seed(0)
    nets, y = build_nets(ModelShape(16, 288, 576, 2, 1, 8, 8)), drawings(16, 1)
    G = personalise(nets.generator, nets.discriminator, torch.rand(576)).generator
    torch.testing.assert_close(for_inference(G, G.psi)(y), G(y), rtol=0, atol=1e-5)


def test_attention_by_parts_is_attention() -> None:
    """More positions than attend at once."""
    torch.manual_seed(0)
    nets, y = build_nets(ModelShape(64, 16, 64, 2, 1, 16, 32)), drawings(64)
    G = personalise(nets.generator, nets.discriminator, torch.rand(64)).generator
    torch.testing.assert_close(for_inference(G, G.psi)(y), G(y), rtol=0, atol=1e-5)


def test_packed_kernels_make_the_same_images_one_or_many_at_a_time() -> None:
    torch.manual_seed(0)
    nets, y = build_nets(ModelShape(64, 16, 64, 3, 2, 16, 32)), drawings(64, 3)
    G = personalise(nets.generator, nets.discriminator, torch.rand(64)).generator
    graph, expected = packed(for_inference(G, G.psi)), G(y)
    with torch.inference_mode():
        torch.testing.assert_close(graph(y[:1]), expected[:1], rtol=0, atol=1e-5)
        torch.testing.assert_close(graph(y), expected, rtol=0, atol=1e-5)


def test_it_holds_constants_and_leaves_the_generator_alone(nets: Nets) -> None:
    G, y = personalise(nets.generator, nets.discriminator, torch.rand(8)).generator, drawings(16)
    graph = for_inference(G, G.psi)
    assert not [p for p in graph.parameters() if p.requires_grad]
    of_G, of_graph = (
        [name for name in net.state_dict() if name.endswith((".u", ".v"))] for net in (G, graph)
    )
    assert of_G and not of_graph
    before = graph(y)
    assert not before.requires_grad
    for parameter in G.parameters():
        parameter.data.mul_(1.5)
    assert torch.equal(graph(y), before)
    assert all(parameter.requires_grad for parameter in G.parameters())


@pytest.mark.parametrize(("dtype", "near"), [(torch.bfloat16, 0.02), (torch.float16, 0.002)])
def test_half_precision_makes_nearly_the_same_images(dtype: torch.dtype, near: float) -> None:
    """With the bundled networks and a sitter, on average over the pixels."""
    model = load()
    (frames, landmarks), *_ = bundled_people(model.shape.image_size)
    e_hat = embed(model.nets, to_tensor(frames), landmarks)
    generator = model.nets.generator
    psi = generator.project(e_hat[None])
    y = to_tensor(draw_landmarks(landmarks[:1], model.shape.image_size))
    exact = for_inference(generator, psi[0])(y)
    rounded = for_inference(generator, psi[0], dtype)(y)
    assert rounded.dtype == torch.float32
    assert (rounded - exact).abs().mean() < near
