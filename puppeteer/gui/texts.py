"""Every text of the window, so that a translation replaces one file. Help of settings is in the settings tree."""

from __future__ import annotations

import sys

TITLE = "Puppeteer"

# Names of settings as people say them; a setting that is not here is shown by its own name.
SETTINGS = {
    "min_cutoff": "Slow moves",
    "beta": "Fast moves",
    "gain": "Strength",
    "dead_zone": "Ignore below",
    "range": "At most",
    "link_eyes": "Eyes together",
    "idle": "Idle motion",
    "hold_s": "Face lost: wait",
    "rest_s": "then relax in",
    "return_s": "Face back in",
    "eye_contact": "Eye contact",
    "breath": "Breath",
    "sway": "Sway",
    "body": "Body follows",
    "body_delay_s": "Body comes after",
    "hair": "Hair swings",
    "hair_rate": "Hair's pace",
    "hair_damping": "Hair calms",
    "fade_in_s": "Comes in",
    "fade_out_s": "Goes in",
    "together": "Several at once",
    "on": "Use a microphone",
    "gate_db": "Opens from",
    "strength": "Strength",
    "vowels": "Vowels",
    "alone": "Voice alone",
    "osc": "OSC",
    "family": "Networks",
    "device": "Device",
    "key_colour": "Key colour",
    "offset_x": "To the right",
    "offset_y": "Down",
    "rate": "Pictures a second",
    "virtual_camera": "Virtual camera",
    "browser_source": "Browser source",
    "browser_port": "Port",
    "shared_texture": "Shared texture",
    "show_character": "Character here",
    "show_preview": "Camera preview",
    "show_speed": "Show speed",
    "scale": "Size of texts",
    "phone": "Phone's address",
    "port": "Port",
    "mapping": "Own mapping",
    "vmc": "Send motion",
    "vmc_address": "To address",
    "vmc_port": "Port there",
}
ZERO = {"studio.scale": "auto", "source.port": "usual"}  # what 0 means
UNITS = {"min_cutoff": "", "rate": "", "hair_rate": ""}  # in place of a setting's own

PAGES = {
    "character": "Character",
    "camera": "Camera",
    "faces": "Faces",
    "motion": "Motion",
    "output": "Output",
    "help": "Help",
}

# Top bar
LAMPS = {"camera": "Camera", "face": "Face", "networks": "Networks", "virtual_camera": "Virtual camera"}
STATES = {"off": "off", "starting": "starting", "ok": "ready", "problem": "look below"}
NO_WEBCAM = "No webcam is found: recorded motion shows what the character does, until you plug one in."
CHOOSE_SOURCE = "Choose what moves it"
DRIVERS = {"face": "Your face", "idle": "Idle motion", "demo": "Recorded motion", "manual": "Manual"}
PROFILE = "Profile: {name}"
PROFILE_TIP = "Choose another profile, or save this one under another name"

# Stage
STARTING = "Getting ready"
CHARACTER_HIDDEN = "The character is hidden here. It is still sent."
FACE_FOUND = "Face found"
NO_FACE = "No face"
NO_PREVIEW = "No picture yet"

FACE_FOUND_PLAIN = "face found"  # what the engine says of a face that is well seen; anything else is advice

# Strip below the stage
MORE_NUMBERS = "All 19 numbers"
FEWER_NUMBERS = "Only the six"
NUMBER_TIP = "{label}: {help}"
FACE_METERS = "Face"
MANUAL_METERS = "Manual pose"
METER_RAW = "seen {raw:.2f}   your range {low:.2f} to {high:.2f}"
NOTHING = "–"
REST_POSE = "Rest pose"

# Actions
RECENTRE = "Recentre"
CALIBRATE = "Calibrate"
MIRROR = "Mirror"
PREVIEW = "Preview"
MANUAL = "Manual"
MUTE = "Mute"
MOUTH_MUTED = "mouth muted"
RECORD = "Record"
STOP_RECORDING = "Stop recording"
VIRTUAL_CAMERA = "Virtual camera"
CANCEL = "Cancel"
CLOSE = "Close"
RETRY = "Retry"
DISMISS = "Hide"
RESET = "Back to {value}"
CHOOSE = "Choose..."
MORE = "More"
LESS = "Less"
COPY = "Copy"
FAILED = "{failure}. Please report it, with the log from the page Help."

# Cards
CHARACTERS = "Characters"
LOAD_PICTURE = "Load a picture or a model..."
LOAD_PICTURE_TIP = (
    "A picture of one character, looking straight ahead, eyes open: it is prepared, with a look at before and after. "
    "Or a 3D model of yours (VRoid and other .vrm, .pmx, .pmd, or its .zip): it is drawn. Either stays on the shelf."
)
READING_MODEL = "Drawing {name}..."
OF_MANY_MODELS = "{file} holds {count} models; {name}, the largest file, was drawn."
DRAW_NEW = "Draw a new one"
DRAWING_NEW = "Drawing..."
DRAW_NEW_TIP = "Draws a character that nobody has yet, free for any use, and puts it on the shelf."
NEW_NAME = "New {seed}"
RENAME = "Rename"
REMOVE = "Remove"
RENAME_CHARACTER = "A new name for {name}"
REMOVE_CHARACTER = "Remove {name} from the shelf? Its picture there is deleted; the one that you loaded it from stays."
CHARACTER_NAME_WRONG = 'A character needs a name without < > : " / \\ | ? * and not with a dot first: choose another.'
CHARACTER_EXISTS = "There is already a character {name}: choose another name."
BACKGROUND = "Background"
BACKGROUNDS = {"key": "Key colour", "colour": "Colour", "picture": "Picture", "transparent": "Transparent"}
BACKGROUND_NOTES = {
    "key": "A flat colour that OBS can make transparent again.",
    "colour": "A plain colour behind the character.",
    "picture": "A picture fills the output; what sticks out is cut off.",
    "transparent": "Recordings keep the transparency (WebM). The virtual camera shows the key colour instead. "
    "The browser source is transparent with any of them.",
}
PLACEMENT = "Placement"
PLACEMENT_NOTE = "Drag the character to move it, scroll over it to zoom, double-click to centre it."
CENTRE = "Centre"
NETWORKS = "Networks"
SOURCE = "What moves the character"
SOURCES = {
    "camera": "Webcam",
    "video": "Video file",
    "recording": "Recording",
    "demo": "Demo",
    "ifacialmocap": "iFacialMocap",
    "vtube_studio": "VTube Studio",
    "openseeface": "OpenSeeFace",
    "vmc": "VMC",
}
SOURCE_NOTES = {
    "ifacialmocap": "An app for iPhone and iPad, which sees a face better than most webcams.",
    "vtube_studio": "The app VTube Studio on a phone, with “3rd Party PC Clients” switched on in its settings.",
    "openseeface": "A face tracker of its own, on this computer or on another one.",
    "vmc": "From programs that move a VRM model: VSeeFace, VMagicMirror, apps for phones.",
}
TO_DO = "What to do: {setup}."
FIRST_CAMERA = "First one found"
REFRESH = "Look again"
NO_CAMERAS = "No webcam is found. Plug one in, which is used at once, or take a video file or the demo."
DEMO_NOTE = "Recorded motion of a real face, in a loop. Good for trying out settings without a webcam."
NO_VIDEO = "No file chosen"
RECORDING_NOTE = (
    "Recorded motion in a loop: a table that track or this window wrote (.csv), or a motion of MikuMikuDance (.vmd)."
)
VIEW = "In this window"
BEHAVIOUR = "Behaviour"
CALIBRATION = "Calibration"
CALIBRATED = "Calibrated for your face."
AUTOMATIC = "Automatic: ranges follow what was seen in the last minute."
GUIDED = "Calibrate step by step..."
FORGET = "Back to automatic"
WAYS = "Where it is shown"
TEXTURES = {"win32": "Spout2", "darwin": "Syphon"}.get(sys.platform, "")
WAY_TEXTS = {  # name and purpose
    "browser_source": ("Browser source", "OBS: without background, nothing to install"),
    "virtual_camera": ("Virtual camera", "Zoom, Discord, Teams: as your webcam"),
    "shared_texture": (
        "Shared texture", f"Programs that know {TEXTURES}" if TEXTURES else "On Windows and macOS alone"
    ),
    "recording": ("Recording", "A video file, for later"),
    "vmc": ("Motion", "VSeeFace, VNyan, Warudo: moves a 3D model there"),
}  # fmt: skip
BROWSER_NOTE = "The character alone, transparent, in OBS on this computer. No green screen, no plugin."
COPY_ADDRESS = "Copy the address"
COPIED = "Copied"
BROWSER_HINT = "OBS was open before Puppeteer and shows nothing? Press Refresh in the source's properties."
OBS_SOURCES = "Sources"
OBS_LIST = ("Game Capture", "Microphone")
OBS_BROWSER = "Browser"
OBS_MENU = ("Audio Input", OBS_BROWSER, "Image")
OBS_URL, OBS_WIDTH, OBS_HEIGHT, OBS_OK = "URL", "Width", "Height", "OK"
_TEXTURE_ONCE = "Once:  python -m pip install -r requirements-textures.txt"
TEXTURE_NOTE = {
    "win32": f"By Spout2: OBS with its plugin obs-spout2, Resolume, TouchDesigner. {_TEXTURE_ONCE}",
    "darwin": f"By Syphon: OBS (Syphon Client), Resolume, VDMX. {_TEXTURE_ONCE}",
}.get(sys.platform, "Spout2 is of Windows and Syphon of macOS. Here take the browser source, which needs neither.")
VIRTUAL_CAMERA_CARD = "Virtual camera"
OFFER = (
    "None is installed yet. With one, OBS, Zoom and Discord show your character as a webcam; "
    "everything else works without it."
)
OFFER_LAMP = "None is installed: the page Output says how to get one."
COPY_COMMANDS = "Copy the commands"
EXPRESSIVE = "Gaze, brows and expressions"
FOLLOWS = {
    "Eyes": "How your eyelids move the character's.",
    "Mouth": "How your mouth moves the character's.",
    "Gaze, brows and expressions": "How your gaze, brows, lips and lower lids move the character's.",
    "Head": "How turning, nodding and leaning your head moves the character's.",
}
SIZE = "Size"
SIZES = {
    (1280, 720): "1280 × 720",
    (1920, 1080): "1920 × 1080",
    (640, 480): "640 × 480",
    (720, 720): "720 × 720",
    (720, 1280): "720 × 1280",
}
OTHER_SIZE = "{0} × {1}"
OUTPUT = "Picture"
VMC_CARD = "To other programs"
VMC_NOTE = "The motion, by the VMC protocol: a 3D model in VSeeFace, VNyan or Warudo does what the character does."
RECORDING = "Recording"
RECORD_NOTE = "MP4 for every player; WebM with transparency where the background is transparent."
MOTION_NOTE = "The motion alone, as a table: it can move this or another character later (page Camera, Recording)."
RECORD_MOTION = "Record motion"
STOP_MOTION = "Stop motion, {minutes}:{seconds:02}"
OPEN_FOLDER = "Open folder"
IN_FOLDER = "They go to {path}"
OTHER_FOLDER = "Other folder..."
PROFILES = "Profiles"
NEW_PROFILE = "New"
SAVE_AS = "A name for the new profile, which begins as this one"
SAVE = "Save"
DELETE = "Delete"
RENAME_PROFILE = "A new name for “{name}”"
DELETE_PROFILE = "Delete the profile “{name}”, with its calibration? It cannot be brought back."
PROFILE_NOTE = "Every change is kept in the profile at once."
MICROPHONE = "Microphone"
FIRST_MICROPHONE = "The system's own"
HEARD = "{level:.0f} dB   vowel {vowel}"
MOUTH_COVERED = "Your mouth keeps still while a voice is heard: the voice alone moves the character's."
REMOTE = "While another program has the focus"
REMOTE_KEYS = "Keys act there too:"
REMOTE_MODES = {"off": "No", "with_ctrl_alt": "With Ctrl+Alt", "alone": "Alone"}
REMOTE_ALONE = (
    "They act also while you type elsewhere: take keys that you do not type, such as F5 or those of the keypad."
)
REMOTE_OSC = (  # an address that comes first is not broken in two
    "127.0.0.1 and the port below are where stream decks and bots on this computer send OSC: "
    "/puppeteer/expression smile 1, /puppeteer/mute 1, /puppeteer/recentre, /puppeteer/mirror, "
    "/puppeteer/virtual_camera, /puppeteer/next_character and the other keys."
)
EXPRESSIONS = "Expressions"
EXPRESSIONS_NOTE = "They lie over what your face does: it goes on blinking and talking."
EXPRESSIONS_HEAD = ("", "held", "key")
EXPRESSION_HELD = "On: it stays only while its key or button is held down. Off: until it is pressed again."
EXPRESSION_KEY_TIP = "Press here, then the key that you want"
OWN_EXPRESSIONS = "Your own"
OWN_NOTE = "Pose the face with the sliders below the picture, then save it."
NO_OWN = "None yet"
NEW_EXPRESSION = "Save the sliders..."
TO_SLIDERS = "On the sliders"
WITH_BODY = "with head and body"
WITH_BODY_TIP = "On: how head and body stand is part of what is saved. Off: they go on following yours."
NAME_EXPRESSION = "A name for this expression; one of yours with that name is replaced"
RENAME_EXPRESSION = "A new name for “{name}”"
DELETE_EXPRESSION = "Delete the expression “{name}”? It cannot be brought back."
EXPRESSION_EXISTS = "There is already an expression {name}: choose another name."
NOTHING_POSED = "Every slider of the face stands at rest, so there is nothing to save: move some of them first."
KEY_OF_EXPRESSION = "Expression: {name}"
KEYS = "Keys"
KEY_NOTE = "Press a button here, then the key that you want. Keys are silent while you type in a text field."
KEYS_OF_EXPRESSIONS = "The keys of expressions are on the page Faces."
KEY_PRESS = "press..."
KEY_WAITS = "Press the new key. Backspace takes the key away, Escape leaves it as it was."
KEY_TAKEN = "{key} is taken: {owner}. Press another key, or take it from there."
KEY_TAKE = "Take it"
KEYS_RESET = "As they were at first"
SPEED = "Speed"
SPEED_FACTS = {"capture_fps": "camera", "track_fps": "tracked", "output_fps": "drawn", "sent_fps": "sent"}
STAGES = {
    "track": "Tracking",
    "pose": "Drawing",
    "compose": "Composing",
    "send": "Sending",
    "camera_to_output": "Camera to output",
}
SPEED_HEAD = ("", "median", "19 of 20")
LOG = "Log"
LOG_NOTE = "Copy this into a bug report."
OBS = "Virtual camera in OBS, Zoom, Discord"

# Guided calibration
STEPS = {
    "neutral": ("Look straight ahead", "Relax your face, mouth closed, eyes open."),
    "eyes_closed": ("Close both eyes", "Keep them closed until about {hold:.0f} seconds have passed, then open them."),
    "mouth_open": ("Open your mouth wide", "As wide as you would when you shout. Hold it."),
    "lips": ("Smile, then say “oo”", "First a broad smile, then lips as for “oo”, in about {hold:.0f} seconds."),
    "corners": (
        "Look at the four corners of the screen",
        "With your eyes alone, one corner after the other, in about {hold:.0f} seconds.",
    ),
}
STEP_OF = "Step {step} of {count}"
GET_READY = "starts in {seconds:.0f}"
HOLD_IT = "hold it ... {seconds:.0f}"
CALIBRATION_NO_FACE = "No face is seen: look into the camera, with light from the front."
CALIBRATION_FACE = "Your face is seen."
CALIBRATION_DONE = "Done"
CALIBRATION_DONE_NOTE = "The character now knows your open and closed eyes, your mouth and your straight head."
CALIBRATION_AGAIN = "This step once more"
CALIBRATION_START = "Start"
CALIBRATION_SKIP = "Skip this step"
CALIBRATION_INTRO = (
    "Five steps of a few seconds each: look straight ahead, close your eyes, open your mouth, smile and say “oo”, look "
    "at the corners of the screen; the last two can be skipped. Sit as you will sit while streaming."
)

# Picture doctor
DOCTOR = "Prepare this picture"
DOCTOR_BEFORE = "Before: drag the square so that the inner box holds the head, from skull to chin"
DOCTOR_AFTER = "After: what becomes the character"
DOCTOR_LOOKING = "Looking at the picture..."
DOCTOR_AGAIN = "Preparing it again..."
DOCTOR_TILT = "Tilt"
DOCTOR_RESET = "As it was found"
DOCTOR_TOOL = "The mouse"
DOCTOR_TOOLS = ("moves the square", "keeps a place", "removes a place")
DOCTOR_BRUSH = "Red goes. Click a place to change all of it, or paint over it; the wheel changes the brush"
DOCTOR_UNDO = "Undo"
DOCTOR_USE = "Use it"
DOCTOR_AS_IT_IS = "Use as it is"
DOCTOR_NOT_HERE = " in the window, or with --square LEFT TOP SIDE"  # of sentences that the command line shows too
DOCTOR_FAILED = "{name} could not be prepared ({failure}): save it anew as a PNG, or take another picture"
DOCTOR_WELL = "Nothing to complain about: this works as it is."

# Chooser
CHOOSE_PICTURE = "Choose a picture"
CHOOSE_CHARACTER = "Choose a picture or a 3D model"
CHOOSE_VIDEO = "Choose a video file"
CHOOSE_MOTION = "Choose recorded motion"
CHOOSE_FOLDER = "Choose a folder"
OPEN = "Open"
TAKE_FOLDER = "Take this folder"
UP = "Up"
SEARCH = "Search in this folder"
SORT_NAME = "By name"
SORT_DATE = "Newest first"
COUNT = "{count} files"
COUNT_ONE = "1 file"
EMPTY_FOLDER = "Nothing to choose here."
NO_FOLDER = "There is no such folder: check the spelling, or choose one on the left."
UNREADABLE_FOLDER = "This folder may not be read: choose another."
PLACES = ("Desktop", "Pictures", "Videos", "Movies", "Downloads", "Documents")
HOME = "Home"

# Profiles
PROFILE_SET_ASIDE = "{problem}. It was set aside as {aside}, and the defaults are used."
PROFILE_NAME_WRONG = "A profile needs a name of letters, digits, spaces, - and _, at most 40 of them: choose another."
PROFILE_EXISTS = "There is already a profile {name}: choose another name."

KEY_TEXTS = {
    "recentre": "Recentre: the head as it is now becomes straight",
    "mirror": "Mirror on or off",
    "preview": "Show or hide the camera preview",
    "virtual_camera": "Virtual camera on or off",
    "manual": "Manual mode: the sliders move the character",
    "calibrate": "Guided calibration",
    "record": "Record, or end the recording",
    "mute": "Mute the mouth: it stays shut",
    "next_character": "The next character on the shelf",
    "help": "This page",
}

_START = {
    "win32": "Install OBS Studio 28 or newer once; it brings the virtual camera. OBS itself need not run.",
    "darwin": "Install OBS Studio 30 or newer, press Start Virtual Camera once, allow the extension, quit OBS.",
}
_START_LINUX = (
    "Once: sudo apt-get install v4l2loopback-dkms\n"
    "After each start of the computer: sudo modprobe v4l2loopback exclusive_caps=1 card_label=Puppeteer"
)
OFFER_STEPS = _START.get(sys.platform, _START_LINUX)
OBS_STEPS = (
    ("Once on this system", OFFER_STEPS),
    ("In Zoom, Discord, Meet", "Switch the virtual camera on here, then choose it in the program's list of cameras."),
    ("In OBS, character only", "The browser source: the page Output has its address and shows the steps."),
    (
        "In OBS, with the background",
        "Sources, +, Video Capture Device; as device take the virtual camera. "
        "Choose a colour or a picture as background here.",
    ),
    (
        "In OBS, by a key colour",
        "Take Key colour as background here. In OBS right-click the source, Filters, + below Effect Filters, "
        "Chroma Key, and pick the same colour. Green clothes need another key colour, such as magenta.",
    ),
    (
        "Without a virtual camera",
        "Sources, +, Window Capture, this window; crop it to the picture and use the same Chroma Key filter.",
    ),
)


def key(name: str) -> str:
    """What a key does, by its name in `gui.keys`."""
    return KEY_TEXTS.get(name) or KEY_OF_EXPRESSION.format(name=name.partition(":")[2])


def setting(name: str) -> str:
    """The label of a setting, from its dotted name."""
    last = name.rsplit(".", 1)[-1]
    return SETTINGS.get(last, last.replace("_", " ").capitalize())


def sentence(text: str) -> str:
    """A message as the beginning of a sentence; a path, a file's name and one like iFacialMocap stay as written."""
    first = text.split(" ", 1)[0]
    is_name = any(mark in first for mark in "/\\.") or first[1:] != first[1:].lower()
    return text if is_name else text[:1].upper() + text[1:]


def part_sentence(state: str, text: str) -> str:
    """What a part says; where all is well that is often a name, which keeps its own first letter."""
    return text if state == "ok" else sentence(text)


def commands_in(text: str) -> list[str]:
    """The lines of steps that are typed into a terminal."""
    return [line.split(": ", 1)[1] for line in text.splitlines() if ": sudo " in line]


def advice(state: str, text: str) -> str:
    """Short, for the foot of the preview: what the engine advises about a face that it has found ("come closer: ...");
    "" where there is nothing to better."""
    if state != "ok" or text in ("", FACE_FOUND_PLAIN):
        return ""
    return sentence(text.partition(":")[0])
