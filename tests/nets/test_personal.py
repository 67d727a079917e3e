import torch

from headmime.nets import Nets
from headmime.nets.personal import personalise


def test_before_any_update_the_person_is_the_meta_learned_network(nets: Nets) -> None:
    e_hat = torch.rand(8)
    y, x = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, 3, 16, 16) * 2 - 1
    G, D = personalise(nets.generator, nets.discriminator, e_hat)
    psi = nets.generator.project(e_hat[None])
    assert torch.equal(G(y), nets.generator(y, psi.expand(2, -1)))
    assert torch.equal(D.w, nets.discriminator.w0 + e_hat)
    assert torch.equal(D(x, y).score, nets.discriminator(x, y, e_hat.expand(2, -1)).score)


def test_training_a_person_leaves_the_meta_learned_networks_alone(nets: Nets) -> None:
    before = {k: v.clone() for net in nets for k, v in net.state_dict().items()}
    person = personalise(nets.generator, nets.discriminator, torch.rand(8))
    for net in person:
        for parameter in net.parameters():
            parameter.data.add_(1.0)
        for buffer in net.buffers():
            buffer.add_(1.0)
    after = {k: v for net in nets for k, v in net.state_dict().items()}
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_everything_of_a_person_can_be_trained(nets: Nets) -> None:
    e_hat = nets.embedder(torch.rand(1, 1, 3, 16, 16), torch.rand(1, 1, 3, 16, 16))[0]
    person = personalise(nets.generator, nets.discriminator, e_hat)
    assert all(p.requires_grad and p.is_leaf for net in person for p in net.parameters())
