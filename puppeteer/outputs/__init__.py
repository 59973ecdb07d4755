"""Where pictures go: video files, the virtual camera, a page for OBS; and poses, to other programs; one file each."""

from puppeteer.outputs.memory import Memory
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.outputs.virtual_camera import VirtualCamera
from puppeteer.outputs.vmc import VmcSender

SINKS = {"video_writer": VideoWriter, "virtual_camera": VirtualCamera, "memory": Memory}
POSE_SINKS = {"vmc": VmcSender}
