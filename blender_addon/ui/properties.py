# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored in the .blend: settings of the scene, and the rig with its takes."""

from __future__ import annotations

from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import Action, Image, Object, PropertyGroup, Scene, WindowManager

from ..compat import PATH_OPTIONS
from ..core.pins import LARGEST_PLACE
from ..takes import following, nla, pins
from .angles import angle
from .options import with_options


def _take_name(take: PropertyGroup) -> str:
    # a lambda in an annotation would not see this module's names
    return take.action.name if take.action else ""


class OSMNetTake(PropertyGroup):
    """One take of a rig: its action, and what was edited before it was sampled anew."""

    star: BoolProperty(  # type: ignore[valid-type]
        name="Star", description="A favourite: marked in the list, for nothing but your eyes"
    )
    note: StringProperty(  # type: ignore[valid-type]
        name="Note", description="What you want to remember about this take"
    )

    action: PointerProperty(  # type: ignore[valid-type]
        type=Action, name="Action", description="The curves of the take"
    )
    layer: PointerProperty(  # type: ignore[valid-type]
        type=Action, name="Edits", description="Added on top of the take"
    )
    name: StringProperty(  # type: ignore[valid-type]
        name="Name",
        description="Name of the take and of its action",
        get=_take_name,
        set=nla.rename,
    )
    influence: FloatProperty(  # type: ignore[valid-type]
        name="Influence",
        description="Weight of this take over those below it in the list of NLA tracks",
        min=0.0,
        max=1.0,
        get=nla.influence,
        set=nla.set_influence,
    )
    playing: BoolProperty(  # type: ignore[valid-type]
        name="Playing",
        description="Whether this take and its edits play while takes are blended",
        get=nla.is_playing,
        set=nla.set_playing,
    )


def _pin_name(pin: PropertyGroup) -> str:
    return str(pin.marker)


class OSMNetPin(PropertyGroup):
    """A pose at a frame, which sampled takes meet."""

    marker: StringProperty(  # type: ignore[valid-type]
        name="Marker", description="Name of the timeline marker that the pin stands at"
    )
    kept_frame: IntProperty(  # type: ignore[valid-type]
        name="Kept frame", description="Where the pin was put last; counts if the marker is gone"
    )
    name: StringProperty(  # type: ignore[valid-type]
        name="Name",
        description="Name of the pin and of its timeline marker",
        get=_pin_name,
        set=pins.rename,
    )
    frame: IntProperty(  # type: ignore[valid-type]
        name="Frame",
        description="Scene frame of the pin; moving its timeline marker does the same",
        get=pins.frame_of,
        set=pins.move,
    )
    axes: EnumProperty(  # type: ignore[valid-type]
        name="Pinned",
        description="What of the pose is pinned; what is not stays the take's own",
        items=(
            ("PITCH", "Pitch", "Nodding"),
            ("YAW", "Yaw", "Turning left and right"),
            ("ROLL", "Roll", "Tilting to the shoulder"),
            ("PLACE", "Place", "Where the head is"),
        ),
        options={"ENUM_FLAG"},
        default={"PITCH", "YAW", "ROLL", "PLACE"},
    )
    pitch: angle("Pitch", "Above 0 the head looks down")  # type: ignore[valid-type]
    yaw: angle("Yaw", "Above 0 the head turns to the person's left")  # type: ignore[valid-type]
    roll: angle("Roll", "Above 0 the head tilts to the person's right")  # type: ignore[valid-type]
    place: FloatVectorProperty(  # type: ignore[valid-type]
        name="Place",
        description="How far the head is off its rest, along the head bone's axes",
        subtype="TRANSLATION",
        min=-LARGEST_PLACE,
        max=LARGEST_PLACE,
        precision=4,
        step=0.1,
    )


VOICE_CHANNELS = (
    ("auto", "Automatic", "As the recording suggests; for most, all channels together"),
    ("left", "Left", "The first channel"),
    ("right", "Right", "The second channel"),
    ("centre", "Centre", "The centre of surround sound, where films have their voices"),
    ("mix", "Mix", "All channels together"),
    ("number", "Number", "A channel by its number"),
)


class _Voice:
    """A voice, as a rig has it, and the panel for the next rig."""

    voice: StringProperty(  # type: ignore[valid-type]
        name="Voice",
        description="Sound or video file with the voice",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )
    voice_start: FloatProperty(  # type: ignore[valid-type]
        name="Start",
        description="Scene frame at which the voice begins",
        default=1.0,
    )
    channel: EnumProperty(  # type: ignore[valid-type]
        name="Channel", description="Which channel of the voice is heard", items=VOICE_CHANNELS,
        default="auto",
    )  # fmt: skip
    channel_number: IntProperty(  # type: ignore[valid-type]
        name="Channel Number", description="Which channel, counted from 1", default=1, min=1, max=64
    )
    track: IntProperty(  # type: ignore[valid-type]
        name="Sound Track",
        description="Which sound track of a video is heard, counted from 1; 0 is automatic",
        default=0,
        min=0,
    )


class OSMNetRig(_Voice, PropertyGroup):
    """What an armature needs to know to be a head rig."""

    rig_id: StringProperty(  # type: ignore[valid-type]
        name="Identifier", description="Tells this rig from all others, whatever it is called"
    )
    portrait: StringProperty(  # type: ignore[valid-type]
        name="Portrait",
        description="Photo that the head was fitted to",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )
    face_index: IntProperty(  # type: ignore[valid-type]
        name="Face", description="Which face of the photo, -1 for the largest", default=-1
    )
    head: PointerProperty(  # type: ignore[valid-type]
        type=Object, name="Head", description="The head mesh with its 52 shape keys"
    )
    plane: PointerProperty(  # type: ignore[valid-type]
        type=Object, name="Frames", description="The plane that shows the frames"
    )
    crop: IntVectorProperty(  # type: ignore[valid-type]
        name="Size of a crop", description="Height and width in pixels of frames around the head",
        size=2, default=(256, 256),
    )  # fmt: skip
    photo_size: IntVectorProperty(  # type: ignore[valid-type]
        name="Size of the photo", description="Height and width of the photo in pixels", size=2
    )
    rest_rotation: FloatVectorProperty(  # type: ignore[valid-type]
        name="Rest rotation", description="How the head is turned in the photo, degrees", size=3
    )
    rest_translation: FloatVectorProperty(  # type: ignore[valid-type]
        name="Rest translation", description="Where the head is in the photo, metres", size=3
    )
    still: PointerProperty(  # type: ignore[valid-type]
        type=Image, name="Still frame", description="What the plane shows before frames are there"
    )
    camera: PointerProperty(  # type: ignore[valid-type]
        type=Object, name="Camera", description="The camera that sees exactly the plane"
    )
    takes: CollectionProperty(  # type: ignore[valid-type]
        type=OSMNetTake, name="Takes", description="The takes of this rig"
    )
    pins: CollectionProperty(  # type: ignore[valid-type]
        type=OSMNetPin, name="Pins", description="Poses that sampled takes meet"
    )
    pin_index: IntProperty(  # type: ignore[valid-type]
        name="Selected pin", description="Row of the list of pins that is marked"
    )
    index: IntProperty(  # type: ignore[valid-type]
        name="Selected take", description="Row of the list that is marked"
    )
    chosen: IntProperty(  # type: ignore[valid-type]
        name="Chosen take", description="Take that plays alone and is edited; -1: none", default=-1
    )
    blending: BoolProperty(  # type: ignore[valid-type]
        name="Blending in the NLA", description="Whether the NLA tracks of the takes play"
    )
    made_with: StringProperty(  # type: ignore[valid-type]
        name="Made with", description="What the frames on the plane were made with, as JSON"
    )
    sequence: StringProperty(  # type: ignore[valid-type]
        name="Frames on the plane", description="Folder of the frames on the plane",
        subtype="DIR_PATH", options=PATH_OPTIONS,
    )  # fmt: skip


class OSMNetMappingRow(PropertyGroup):
    """Which shape key of another mesh shows one ARKit blendshape."""

    blendshape: StringProperty(  # type: ignore[valid-type]
        name="Blendshape", description="ARKit's name of a coefficient"
    )
    shape_key: StringProperty(  # type: ignore[valid-type]
        name="Shape key", description="Shape key of the mesh that shows it; empty for none"
    )


FRAME_SIZES = (
    ("crop", "256", "256 × 256 pixels around the head: the fastest"),
    ("512", "512", "512 × 512 pixels around the head"),
    ("1024", "1024", "1024 × 1024 pixels around the head"),
    ("photo", "Photo", "The whole photo at its own size"),
)

ABOUT_SIZE = "Size of the frames in pixels"
ABOUT_RANGE = "Which frames of the take are rendered"
ABOUT_RENDERER = "How the frames are drawn"

FRAME_RANGES = (
    ("TAKE", "Whole take", "All frames of the chosen take"),
    ("SCENE", "Scene range", "Only the frames of the take within the scene's (preview) range"),
)


RENDERERS = (
    ("auto", "Default", "As the bundle of weights says"),
    ("warp", "Warp", "The photo warped by the fitted head: the fastest"),
    ("guided", "Guided", "The warp, finished by a network"),
    ("paper", "Paper", "The paper's Video Generator, if the bundle has weights for it"),
)


ABOUT_KEYS = "How many keys a new take gets"

KEYS = (
    ("FEW", "Few", "As few as stay within 0.2°, 1 mm and 0.01 of each sample: easy to edit"),
    ("EVERY", "Every sample", "One for each of the 25 samples a second: exact"),
)


@with_options
class OSMNetSettings(_Voice, PropertyGroup):
    """What the panel's fields hold, saved with the scene; options of takes come from their list."""

    portrait: StringProperty(  # type: ignore[valid-type]
        name="Portrait",
        description="Photo of a face seen from the front; the person must have agreed",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )
    face_index: IntProperty(  # type: ignore[valid-type]
        name="Face Index",
        description="Which face of the photo, counted from the largest; -1 takes the largest",
        default=-1,
        min=-1,
    )
    count: IntProperty(  # type: ignore[valid-type]
        name="Takes", description="How many takes to sample", default=5, min=1, max=100
    )
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="The same seed gives the same takes", default=0, min=0
    )
    with_expression: BoolProperty(  # type: ignore[valid-type]
        name="With expression",
        description="Fill the expression and blinks of the takes as they are sampled",
        default=True,
    )
    keys: EnumProperty(  # type: ignore[valid-type]
        name="Keys", description=ABOUT_KEYS, items=KEYS, default="FEW"
    )
    follow_action: PointerProperty(  # type: ignore[valid-type]
        type=Action,
        name="Follow",
        description="Take or action of a head rig whose slow motion the takes go around; with a "
        "spread of 0 they are that motion",
        poll=lambda self, item: following.moves_head(item),
    )
    follow_file: StringProperty(  # type: ignore[valid-type]
        name="Follow File",
        description="Video of an actor, which is tracked, or take file (.npz, .csv), whose slow "
        "motion the takes go around",
        subtype="FILE_PATH",
        options=PATH_OPTIONS,
    )
    frame_size: EnumProperty(  # type: ignore[valid-type]
        name="Size", description=ABOUT_SIZE, items=FRAME_SIZES, default="crop"
    )
    frame_range: EnumProperty(  # type: ignore[valid-type]
        name="Range", description=ABOUT_RANGE, items=FRAME_RANGES, default="TAKE"
    )
    renderer: EnumProperty(  # type: ignore[valid-type]
        name="Renderer", description=ABOUT_RENDERER, items=RENDERERS, default="auto"
    )
    label: BoolProperty(  # type: ignore[valid-type]
        name="Label",
        description='Write "AI-generated" into each frame; leave it on for what others will see',
        default=True,
    )
    auto_update: BoolProperty(  # type: ignore[valid-type]
        name="Auto update", description="Render changed frames by themselves after an edit"
    )
    target: PointerProperty(  # type: ignore[valid-type]
        type=Object, name="Target", description="Armature or object that takes the head motion"
    )
    target_bone: StringProperty(  # type: ignore[valid-type]
        name="Bone", description="Bone of the armature that turns as the head does"
    )
    target_mesh: PointerProperty(  # type: ignore[valid-type]
        type=Object,
        name="Mesh",
        description="Mesh whose shape keys take the expression",
        poll=lambda self, item: item.type == "MESH" and item.data.shape_keys is not None,
    )
    mapping: CollectionProperty(  # type: ignore[valid-type]
        type=OSMNetMappingRow,
        name="Mapping",
        description="Which shape key of the mesh shows which coefficient",
    )
    mapping_index: IntProperty(  # type: ignore[valid-type]
        name="Row", description="Row of the mapping that is marked"
    )


class OSMNetStatus(PropertyGroup):
    """What goes on now; of the window manager, so that neither files nor undo carry it."""

    title: StringProperty(name="Job", description="What the engine is asked to do now")  # type: ignore[valid-type]
    stage: StringProperty(name="Stage", description="What the engine does at this moment")  # type: ignore[valid-type]
    factor: FloatProperty(  # type: ignore[valid-type]
        name="Progress", description="Share of the job that is done", min=0.0, max=1.0,
        subtype="FACTOR",
    )  # fmt: skip
    left: StringProperty(name="Time left", description="How long the job will still take")  # type: ignore[valid-type]
    error: StringProperty(name="Error", description="What went wrong last, in one sentence")  # type: ignore[valid-type]
    details: StringProperty(name="Details", description="What the engine said before the error")  # type: ignore[valid-type]
    note: StringProperty(name="Note", description="What was done last")  # type: ignore[valid-type]
    warnings: StringProperty(  # type: ignore[valid-type]
        name="Warnings", description="What the engine noticed about photo and voice, one a line"
    )
    changed: IntProperty(  # type: ignore[valid-type]
        name="Changed frames",
        description="How many frames on the plane do not show what the curves say; -1 if not known",
        default=-1,
    )
    engine: StringProperty(name="Engine", description="Versions and device that Check has found")  # type: ignore[valid-type]


CLASSES = (OSMNetTake, OSMNetPin, OSMNetRig, OSMNetMappingRow, OSMNetSettings, OSMNetStatus)


def add_pointers() -> None:
    """Hang the groups on Blender's types."""
    Object.osmnet = PointerProperty(type=OSMNetRig)
    Scene.osmnet = PointerProperty(type=OSMNetSettings)
    WindowManager.osmnet = PointerProperty(type=OSMNetStatus, options={"SKIP_SAVE"})


def remove_pointers() -> None:
    """Undo `add_pointers`; what was saved stays in the file."""
    del Object.osmnet, Scene.osmnet, WindowManager.osmnet
