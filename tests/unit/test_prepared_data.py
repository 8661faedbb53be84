"""Samples and shards: packed, read back, streamed, split, and what damage says."""

from __future__ import annotations

import json
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from osmnet_sdk.errors import InputError
from osmnet_sdk.face.source import Crop
from osmnet_sdk.research.data.prepare import write_manifest
from osmnet_sdk.research.data.prepared import PreparedData
from osmnet_sdk.research.data.sample import (
    PreparedSample,
    decode_sample,
    encode_frame,
    encode_sample,
)
from osmnet_sdk.research.data.settings import PreparationSettings
from osmnet_sdk.research.data.shards import (
    RejectedPiece,
    read_listings,
    shard_path,
    write_shard,
)
from osmnet_sdk.tracks import ExpressionTrack, MotionTrack, Take

SETTINGS = PreparationSettings()


def sample(name, frames=4, speaker="anna", sound=True, subset=None):
    random = np.random.default_rng(sum(map(ord, name)))
    images = np.full((frames, 256, 256, 3), 128, np.uint8)
    images[:, 40:200, 60:190] = (200, 60, 70)
    images[:, :, :, 0] += np.arange(frames, dtype=np.uint8)[:, None, None] * 8
    take = Take(
        MotionTrack(25, random.normal(0, 3, (frames, 3)), random.normal(0, 0.01, (frames, 3))),
        ExpressionTrack(25, random.uniform(0, 1, (frames, 52))),
        rest_rotation=[1, 2, 3],
    )
    landmarks = random.uniform(0, 256, (frames, 478, 2)).astype(np.float32)
    landmarks[1] = np.nan
    return PreparedSample(
        name, f"Ünï/{name}.mp4", speaker, subset, 1.5, Crop(3.5, 4.5, 200.25),
        tuple(encode_frame(image, 95) for image in images), take,
        random.normal(0, 1, 40).astype(np.float32), landmarks,
        random.uniform(-1, 1, frames * 640).astype(np.float32) if sound else None,
    )  # fmt: skip


def write(folder, number, *samples, rejected=()):
    videos = [(s.source, 100, [s], []) for s in samples]
    if rejected:
        videos.append(("bad.mp4", 7, [], list(rejected)))
    return write_shard(folder, number, "folder", iter(videos), SETTINGS)


def test_a_sample_comes_back_as_it_was():
    made = sample("one-1")
    again = decode_sample(encode_sample(made))
    assert encode_sample(made) == encode_sample(made)
    assert (again.key, again.source, again.speaker) == ("one-1", "Ünï/one-1.mp4", "anna")
    assert (again.start, again.crop, again.subset) == (1.5, made.crop, None)
    assert again.take == made.take
    assert again.jpegs == made.jpegs
    np.testing.assert_array_equal(again.identity, made.identity)
    np.testing.assert_allclose(again.landmarks, made.landmarks, atol=0.07)
    np.testing.assert_allclose(again.sound, made.sound, atol=2e-5)
    assert again.camera.centre == (127.5, 127.5)
    assert decode_sample(encode_sample(sample("mute", sound=False))).sound is None


def test_frames_keep_their_colours_at_edges():
    made = sample("one")
    frame = made.frame(2)
    assert made.frames().shape == (4, 256, 256, 3)
    # Between red and grey: chroma at half the resolution would bleed by several pixels.
    assert np.abs(frame[100, 61].astype(int) - (216, 60, 70)).max() <= 6
    assert np.abs(frame[100, 58].astype(int) - (144, 128, 128)).max() <= 6


def test_shards_are_plain_tar_files_with_keys_before_the_first_point(tmp_path):
    write(tmp_path, 0, sample("one"), sample("two", sound=False))
    with tarfile.open(shard_path(tmp_path, 0)) as archive:
        names = archive.getnames()
    assert names[:5] == ["one.json", "one.take.npz", "one.face.npz", "one.wav", "one.0000.jpg"]
    assert names[8:12] == ["two.json", "two.take.npz", "two.face.npz", "two.0000.jpg"]


def test_samples_are_listed_and_read_one_by_one(tmp_path):
    gone = RejectedPiece("bad.mp4", 0.0, 2.0, "no face", "2.00 s")
    write(tmp_path, 3, sample("b", subset="test"), rejected=[gone])
    write(tmp_path, 5, sample("a", frames=6))
    data = PreparedData(tmp_path)
    assert [entry.key for entry in data.entries] == ["a", "b"]
    assert [len(entry) for entry in data.entries] == [6, 4]
    assert [data.read(entry).key for entry in data.entries] == ["a", "b"]
    assert data.subset("test") == [data.entries[1]]
    with pytest.raises(InputError, match="there are: test"):
        data.subset("train")
    again = pickle.loads(pickle.dumps(data))
    assert again.read(again.entries[0]).take == sample("a", frames=6).take
    clip, pictures = data.clip(data.entries[0])
    assert (clip.name, clip.speaker, len(clip), len(pictures)) == ("a", "anna", 6, 6)
    chosen = pictures[np.array([5, 0, 5])]
    np.testing.assert_array_equal(chosen, sample("a", frames=6).frames()[[5, 0, 5]])


def test_manifest_names_every_piece(tmp_path):
    gone = RejectedPiece("bad.mp4", 0.0, 2.0, "no face", "2.00 s")
    write(tmp_path, 0, sample("b"), sample("a", speaker=None), rejected=[gone])
    summary = write_manifest(tmp_path, "folder", read_listings(tmp_path))
    assert (summary.videos, summary.samples, summary.speakers) == (3, 2, 1)
    manifest = json.loads(summary.manifest.read_text(encoding="utf-8"))
    assert [entry["key"] for entry in manifest["accepted"]] == ["a", "b"]
    assert manifest["rejected"] == [
        {"source": "bad.mp4", "start": 0.0, "stop": 2.0, "reason": "no face", "detail": "2.00 s"}
    ]
    assert manifest["rejected_by_reason"] == {"no face": 1}


@pytest.fixture
def many(tmp_path):
    for number in range(3):
        names = [f"s{number}{index}" for index in range(4)]
        write(tmp_path, number, *[sample(n, 2, f"p{n[-1]}", n[-1] != "3") for n in names])
    return PreparedData(tmp_path)


def test_streams_share_out_each_sample_once_in_an_order_of_the_epoch(many):
    def keys(**options):
        return [made.key for made in many.stream(seed=4, **options)]

    whole = keys()
    assert sorted(whole) == [entry.key for entry in many.entries]
    assert whole == keys()
    assert whole not in (sorted(whole), keys(epoch=1))
    parts = [keys(part=part, parts=5) for part in range(5)]
    assert {len(part) for part in parts} == {2}
    assert len({key for part in parts for key in part}) == 10
    assert [part[0] for part in parts] == whole[:5]
    some = many.entries[2:4]
    assert {s.key for s in many.stream(some, seed=1)} == {entry.key for entry in some}
    for part, count in ((0, 13), (3, 3), (-1, 2)):
        with pytest.raises(InputError, match="fewer"):
            next(many.stream(seed=1, part=part, parts=count))


def test_nobody_is_on_both_sides_of_a_split(many):
    training, validation = many.split(0.3, seed=2)
    assert len(training) + len(validation) == 12
    assert validation
    assert not {e.speaker for e in training} & {e.speaker for e in validation}
    unknown = replace(many.entries[0], speaker=None)
    many.entries = (unknown, *many.entries[1:])
    assert all(unknown in many.split(0.9, seed)[0] for seed in range(5))


def test_damage_is_said_and_nothing_else_is_lost(many):
    entry = many.entries[5]
    path = shard_path(many.folder, entry.shard)
    content = bytearray(path.read_bytes())
    content[entry.offset + entry.size // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"'{entry.key}'.*{path.name}.*SHA-256"):
        many.read(entry)
    assert many.read(many.entries[4]).key == many.entries[4].key
    path.write_bytes(content[: entry.offset])
    with pytest.raises(InputError, match="cut short"):
        PreparedData(many.folder)
    path.unlink()
    with pytest.raises(InputError, match="damaged"):
        PreparedData(many.folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        ('{"schema": "osmnet.shard/9"}', "osmnet.shard/9"),
        ('{"schema": "osmnet.shard/1", "number": "x"}', "damaged"),
    ],
)
def test_listings_that_are_none(tmp_path, text, words):
    write(tmp_path, 0, sample("a"))
    shard_path(tmp_path, 0).with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        PreparedData(tmp_path)


@pytest.mark.parametrize("damage", ["meta", "schema", "frame", "cut", "empty"])
def test_samples_that_are_none(damage):
    data = encode_sample(sample("a"))
    if damage == "empty":
        data = b""
    elif damage == "cut":
        data = data[:2000]
    elif damage == "meta":
        data = data.replace(b'"frames": 4', b'"frames": 9')
    elif damage == "schema":
        data = data.replace(b"osmnet.sample/1", b"osmnet.sample/7")
    if damage == "frame":
        made = replace(sample("a"), jpegs=(b"no picture",))
        with pytest.raises(InputError, match="'a' is damaged"):
            decode_sample(encode_sample(made)).frame(0)
    else:
        with pytest.raises(InputError, match=r"damaged|schema"):
            decode_sample(data)


def test_a_shard_without_listing_counts_as_nothing(tmp_path):
    write(tmp_path, 0, sample("a"))
    shard_path(tmp_path, 0).with_suffix(".json").unlink()
    assert read_listings(tmp_path) == []
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["000000.tar"]
    with pytest.raises(InputError, match="osmnet prepare"):
        PreparedData(tmp_path)


def test_a_writer_that_fails_leaves_no_shard(tmp_path):
    def videos():
        yield "a.mp4", 1, [sample("a")], []
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path, 0, "folder", videos(), SETTINGS)
    assert list((tmp_path / "shards").iterdir()) == []
