import json
import os
from pathlib import Path

import pytest
import torch

from headmime.errors import HeadmimeError
from headmime.nets import Nets
from headmime.nets.checkpoint import join_files, load_nets, load_personal, save_nets, save_personal
from headmime.nets.personal import personalise
from headmime.nets.shape import ModelShape
from headmime.pretrained.weights import read_state_dict

RECORD = {"detector": "dlib", "origin": {"seed": 3}}


def test_networks_survive_a_round_trip(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    save_nets(tmp_path / "a b.v1", nets, tiny, RECORD)
    loaded, shape, record = load_nets(tmp_path / "a b.v1")
    assert (shape, record) == (tiny, RECORD)
    for saved, read in zip(nets, loaded, strict=True):
        state = read.state_dict()
        assert all(torch.equal(v, state[k]) for k, v in saved.state_dict().items())
        assert all(p.requires_grad for p in read.parameters())


def test_a_name_that_is_no_utf8(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    """Of the file and of its folder, and in what the record tells."""
    folder = tmp_path / os.fsdecode(b"gr\xfc\xdfe")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    record = RECORD | {"origin": {"store": str(folder)}}
    save_nets(folder / folder.name, nets, tiny, record)
    _, _, read = load_nets(folder / folder.name)
    assert read == record
    assert read_state_dict(folder / f"{folder.name}.safetensors")


def test_half_precision_is_read_as_float32(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    save_nets(tmp_path / "half", nets, tiny, RECORD, torch.float16)
    loaded, _, _ = load_nets(tmp_path / "half.json")
    assert {p.dtype for net in loaded for p in net.parameters()} == {torch.float32}
    assert torch.equal(loaded.discriminator.w0, nets.discriminator.w0.half().float())


def test_w_is_not_in_a_checkpoint(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    from safetensors.torch import load_file

    save_nets(tmp_path / "nets", nets, tiny, RECORD)
    of_nets = {
        f"{net}.{name}" for net, module in nets._asdict().items() for name in module.state_dict()
    }
    assert load_file(tmp_path / "nets.safetensors").keys() == of_nets


def test_a_person_survives_a_round_trip(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    generator, _ = personalise(nets.generator, nets.discriminator, torch.rand(8))
    save_personal(tmp_path / "mona", generator, tiny, RECORD)
    loaded, _, _ = load_personal(tmp_path / "mona")
    y = torch.rand(1, 3, 16, 16)
    assert torch.equal(generator(y), loaded(y))


def test_a_person_in_one_file(tmp_path: Path, nets: Nets, tiny: ModelShape) -> None:
    G = personalise(
        nets.generator, nets.discriminator, torch.zeros(nets.discriminator.w0.shape)
    ).generator
    save_personal(tmp_path / "parts", G, tiny, {"detector": "dlib"})
    joined = join_files(tmp_path / "parts", tmp_path / "anna.safetensors")
    assert not (tmp_path / "anna.json").exists()
    loaded, shape, record = load_personal(joined)
    assert shape == tiny and record == {"detector": "dlib"}
    assert torch.equal(loaded.psi, G.psi)
    # The tensors alone are no checkpoint.
    (tmp_path / "parts.json").unlink()
    with pytest.raises(HeadmimeError, match="parts.json is missing"):
        load_personal(tmp_path / "parts")


def test_what_is_wrong_with_a_checkpoint_is_said(
    tmp_path: Path, nets: Nets, tiny: ModelShape
) -> None:
    with pytest.raises(HeadmimeError, match=r"none\.safetensors is missing"):
        load_nets(tmp_path / "none")
    description = save_nets(tmp_path / "nets", nets, tiny, RECORD)
    with pytest.raises(HeadmimeError, match="'personal'"):
        load_personal(description)
    data = bytearray((tmp_path / "nets.safetensors").read_bytes())
    data[-1] ^= 1
    (tmp_path / "nets.safetensors").write_bytes(data)
    with pytest.raises(HeadmimeError, match="does not match the hash"):
        load_nets(description)
    description.write_text(json.dumps({"format": 1}))
    with pytest.raises(HeadmimeError, match="not a headmime checkpoint"):
        load_nets(description)


def test_a_damaged_description_is_one_sentence_that_names_the_file(
    tmp_path: Path, nets: Nets, tiny: ModelShape
) -> None:
    description = save_nets(tmp_path / "nets", nets, tiny, RECORD)
    whole = json.loads(description.read_text())
    for key, value in (
        *(("generator_levels", float("inf")), ("width", 0), ("image_size", "16")),
        *(("bottleneck_blocks", [1]), ("bottleneck_blocks", 2**60), ("attention_up", None)),
    ):
        description.write_text(json.dumps(whole | {"shape": whole["shape"] | {key: value}}))
        with pytest.raises(HeadmimeError, match=r"nets\.json"):
            load_nets(description)
    description.write_text(json.dumps(whole | {"shape": "16"}))
    with pytest.raises(HeadmimeError, match=r"nets\.json"):
        load_nets(description)
    description.write_text(json.dumps(whole | {"shape": whole["shape"] | {"bottleneck_blocks": 9}}))
    with pytest.raises(HeadmimeError, match=r"^[^\n]*nets\.json holds other weights[^\n]{,400}$"):
        load_nets(description)
