"""Order and splits do not depend on the disk or on who else is there."""

import random

from headmime.data.preprocess.sources import Listing, Refusal, Source, listing, with_splits


def person(name: str, **changes) -> Source:
    values = {"person": name, "video": "v", "clip": "c", "file": f"{name}.mp4", "bytes": 1}
    return Source(**{**values, **changes})


def test_sources_are_sorted_by_person_video_and_clip_as_bytes():
    names = ["b", "a", "\xe9", "\udce9", "Z"]
    found = [person(name) for name in names]
    orders = []
    for seed in range(5):
        random.Random(seed).shuffle(found)
        refused = [Refusal("y", "no face", (2.0, 3.0)), Refusal("y", "no face", (0.0, 1.0))]
        listed = listing(found, refused)
        orders.append([source.person for source in listed.sources])
        assert listed.refused[0].seconds == (0.0, 1.0)
    assert orders == [["Z", "a", "b", "\xe9", "\udce9"]] * 5


def test_a_person_is_in_one_split_whoever_else_is_there():
    people = [person(f"id{n:05d}", video=v) for n in range(2000) for v in "xy"]
    split = {s.person: s.split for s in with_splits(Listing(people, []), 0.1, None, 0).sources}
    assert 150 < sum(one == "test" for one in split.values()) < 250
    alone = with_splits(Listing(people[40:42], []), 0.1, None, 0).sources
    assert {source.split for source in alone} == {split[alone[0].person]}
    other = {s.person: s.split for s in with_splits(Listing(people, []), 0.1, None, 1).sources}
    assert split != other


def test_test_persons_can_be_named_and_a_data_sets_own_split_stays():
    people = [person("anna"), person("ben"), person("cleo", split="test")]
    named = with_splits(Listing(people, []), 1.0, ["ben"], 0).sources
    assert [source.split for source in named] == ["train", "test", "test"]
    nobody, everybody = (with_splits(Listing(people, []), share, None, 0) for share in (0, 1))
    assert [source.split for source in nobody.sources] == ["train", "train", "test"]
    assert {source.split for source in everybody.sources} == {"test"}
