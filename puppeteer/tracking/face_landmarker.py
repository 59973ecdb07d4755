"""Raw FaceObservations from frames: MediaPipe FaceLandmarker, and a scripted tracker for demos and tests."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from puppeteer import weights
from puppeteer.errors import WeightsError
from puppeteer.pose import F32, NECK_RANGE_DEG, U8, FaceObservation, Frame
from puppeteer.quiet import routine_log_dropped
from puppeteer.rotation import matrix_angles
from puppeteer.tracking.camera import facial_matrix
from puppeteer.tracking.expression import expression
from puppeteer.tracking.views import AROUND, Box, Search, View, next_view

if TYPE_CHECKING:
    from types import ModuleType

# Landmark numbers of MediaPipe's face mesh (canonical_face_model in google-ai-edge/mediapipe). The person's right eye
# is on the viewer's left. Each lid point stands above its partner.
LIDS_RIGHT = ((161, 160, 159, 158, 157), (163, 144, 145, 153, 154))
LIDS_LEFT = ((388, 387, 386, 385, 384), (390, 373, 374, 380, 381))
LIPS = ((81, 82, 13, 312, 311), (178, 87, 14, 317, 402))  # inner edges
RIGID = (33, 263, 133, 362, 168, 6, 10, 127, 356, 234, 454, 129, 358, 54, 284, 67, 297)  # no expression moves them
RIGID_SIZE = 6.28  # root mean square distance of RIGID from their centre in the canonical model
# Canonical units (about a centimetre on an average head).
EYE_WIDE = 1.05
MOUTH_WIDE = 3.0
FACE_WIDE = 15.0
FAR_EYE_DEG = (25.0, 35.0)  # turned this far, the far eye starts to follow the near one; here it only follows
SMALL = 0.16  # of the frame's shorter side: a face below it is told to come closer
REMEMBER_S = 1.0  # how long a vanished face is waited for while somebody else is in the picture


class FaceLandmarkerTracker:
    """MediaPipe FaceLandmarker in VIDEO mode.

    Two faces are asked for although one is used. That tells the own face from a passer-by, and it makes MediaPipe
    leave out a smoothing of its own that only knows single faces and lags: it holds a blink's eye shut for several
    frames. The price is the face detector in every frame, about a quarter more time.

    Eyes and mouth are measured on the landmarks turned back to a straight head, not on MediaPipe's blendshapes: of
    lids and jaw these differ from themselves twice as much on mirrored clips, and `jawOpen` also rises behind closed
    lips. They help with what brows, smiles and squints say (`expression`).

    Raises WeightsError where the landmarker file is missing or broken. For one thread.
    """

    def __init__(self) -> None:
        path = weights.verified("face_landmarker")
        with routine_log_dropped():
            mediapipe, vision, base = _mediapipe()
            options = vision.FaceLandmarkerOptions(
                # From memory: MediaPipe cannot open every path on Windows.
                base_options=base.BaseOptions(model_asset_buffer=path.read_bytes()),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=2,
                output_facial_transformation_matrixes=True,
                output_face_blendshapes=True,
            )
            try:
                self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                raise WeightsError(f"MediaPipe cannot load {path} ({error}): get the file again") from error
        self._mediapipe = mediapipe
        self._previous_ms = -1
        self._last_box: Box | None = None
        self._last_seen_s = -math.inf
        self._view: View | None = None  # where the face is looked for; None: in the whole frame
        self._search = Search()
        self._warm = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """May be called more than once."""
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            landmarker.close()

    def observe(self, frame: Frame) -> FaceObservation | None:
        """The face of before, where it is still there, otherwise the largest.

        A face too small for the detector is looked for in squares of the frame, and then followed in one of them.
        """
        assert self._landmarker is not None, "the tracker is closed"
        if not 0 <= frame.time_s - self._last_seen_s <= REMEMBER_S:
            self._last_box = self._view = None
        height, width = frame.rgb.shape[:2]
        self._previous_ms = max(self._previous_ms, round(frame.time_s * 1000) - 1)
        for view in self._views(width, height):
            faces, matrices, shapes = self._look(frame.rgb if view is None else view.of(frame.rgb))
            if view is not None:
                faces = [view.to_frame(face, width, height) for face in faces]
            boxes = [Box.around(face, width, height) for face in faces]
            which = chosen(boxes, self._last_box)
            if which is not None:
                box = self._last_box = boxes[which]
                self._last_seen_s = frame.time_s
                self._view = next_view(box, view, width, height)
                face = faces[which]
                matrix = np.asarray(matrices[which], np.float64)
                if view is not None:
                    matrix = facial_matrix(face, width, height)
                seen = observation(face, matrix, width, height, shapes[which])
                return replace(seen, small=box.size < SMALL * min(width, height))
            if faces and self._last_box is None:  # none can be
                break
        return None

    def _views(self, width: int, height: int) -> Iterator[View | None]:
        """Where to look, until a face is found: where one is followed that is all."""
        last = self._last_box
        yield self._view
        if self._view is not None:
            yield None
        if last is not None:
            yield View.around(last.x, last.y, AROUND * last.size, width, height)
        else:
            yield from self._search.views(width, height)

    def _look(self, rgb: U8) -> tuple[list[F32], list[Any], list[dict[str, float]]]:
        """The faces in a picture: landmarks, transformation matrices, and blendshapes by name."""
        self._previous_ms += 1
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        with contextlib.nullcontext() if self._warm else routine_log_dropped():
            found = self._landmarker.detect_for_video(picture, self._previous_ms)
        self._warm = True
        shapes = [{shape.category_name: shape.score for shape in face} for face in found.face_blendshapes]
        return [landmark_array(face) for face in found.face_landmarks], found.facial_transformation_matrixes, shapes


def _mediapipe() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Imported when needed: it takes a second."""
    import mediapipe
    from mediapipe.tasks import python as base
    from mediapipe.tasks.python import vision

    return mediapipe, vision, base


def landmark_array(face: Any) -> F32:
    """float32 (478, 3) from MediaPipe's landmark list: x, y in [0, 1] of the frame, z in the scale of x."""
    return np.array([(point.x, point.y, point.z) for point in face], np.float32)


def chosen(boxes: list[Box], last: Box | None) -> int | None:
    """The number of the face to follow: the largest at first, then the one we had, or none where only others are."""
    if not boxes:
        return None
    if last is None:
        return max(range(len(boxes)), key=lambda number: boxes[number].size)

    def distance(number: int) -> float:
        box = boxes[number]
        return math.hypot(box.x - last.x, box.y - last.y) + abs(box.size - last.size)

    nearest = min(range(len(boxes)), key=distance)
    return nearest if distance(nearest) < last.size else None


def head_angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """`neck_z`, `neck_x`, `neck_y` in degrees from MediaPipe's facial transformation matrix (4, 4).

    The matrix takes the canonical face (x to the viewer's right, y up, z to the viewer) to the camera.
    """
    rotation = rotation_of(matrix)
    return matrix_angles(rotation[:, 0].tolist(), rotation[2, 1:].tolist())


def rotation_of(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation (3, 3) in a similarity (4, 4)."""
    linear = matrix[:3, :3]
    return linear / float(np.cbrt(np.linalg.det(linear)))


def observation(
    face: F32, matrix: NDArray[np.float64], width: int, height: int, shapes: Mapping[str, float] | None = None
) -> FaceObservation:
    """What landmarks (478, 3), the transformation matrix (4, 4) and, if there are any, blendshapes of one face say."""
    spots = face.astype(np.float64) * (width, -height, -width)  # MediaPipe's y goes down and its z away from us
    rigid = spots[list(RIGID)]
    scale = math.sqrt(float(((rigid - rigid.mean(axis=0)) ** 2).sum(axis=1).mean())) / RIGID_SIZE
    centre = rigid.mean(axis=0)
    head = (spots - centre) @ rotation_of(matrix) / max(scale, 1e-6)  # in the head's own axes, canonical units

    def gap(edges: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
        upper, lower = edges
        return float((head[list(upper), 1] - head[list(lower), 1]).mean())

    eye_left, eye_right = 1 - gap(LIDS_LEFT) / EYE_WIDE, 1 - gap(LIDS_RIGHT) / EYE_WIDE
    neck_z, neck_x, neck_y = head_angles(matrix)
    near, far = FAR_EYE_DEG
    hidden = min(1.0, max(0.0, (abs(neck_y) - near) / (far - near)))
    if neck_y > 0:  # towards the viewer's left: the person's right eye is the far one
        eye_right += hidden * (eye_left - eye_right)
    else:
        eye_left += hidden * (eye_right - eye_left)
    told: dict[str, Any] = {**expression(head, (1 - eye_right, 1 - eye_left), shapes)}
    return FaceObservation(
        eye_left=eye_left,
        eye_right=eye_right,
        mouth_open=gap(LIPS) / MOUTH_WIDE,
        neck_z=neck_z / NECK_RANGE_DEG,
        neck_x=neck_x / NECK_RANGE_DEG,
        neck_y=neck_y / NECK_RANGE_DEG,
        landmarks=face,
        aside=(width / 2 - float(centre[0])) / max(FACE_WIDE * scale, 1e-6),
        **told,
    )
