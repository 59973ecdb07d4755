"""Where pictures go: a video file, the virtual camera, memory; one file each."""

from puppeteer.outputs.memory import Memory
from puppeteer.outputs.video_file import VideoWriter
from puppeteer.outputs.virtual_camera import VirtualCamera

SINKS = {"video_writer": VideoWriter, "virtual_camera": VirtualCamera, "memory": Memory}
