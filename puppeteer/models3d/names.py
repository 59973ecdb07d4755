"""What bones and morphs are usually called, in Japanese, Chinese and English. A name is a hint; geometry decides."""

from __future__ import annotations

import re
import unicodedata

_NOISE = re.compile(r"[\s_\-.・:：|()（）\[\]「」【】]+")
_PREFIX = re.compile(r"^(?:発音|blendshape\d*|facem\w*?|faceblendshapes?|fclall|fcl|face|bs)")

# meaning -> names as `plain` leaves them
MORPHS: dict[str, tuple[str, ...]] = {
    "eyes": ("まばたき", "瞬き", "眨眼", "闭眼", "閉眼", "目閉じ", "閉じ目", "とじ目", "blink", "eyeblink", "eyeclose",
             "eyesclosed", "closeeyes", "eyesclose"),
    "eyes_smile": ("笑い", "笑", "笑い目", "笑眼", "目微笑", "smile", "eyesmile", "eyejoy", "happy", "eyesquint",
                   "笑顔目"),
    "eye_left": ("ウインク2", "ウインク左2", "ウインク2左", "まば左", "まばたき左", "左まばたき", "左目閉じ", "左眼闭",
                 "wink2", "winkleft2", "blinkleft", "blinkl", "eyeblinkleft", "eyeblinkl", "eyecloseleft", "eyeclosel",
                 "winkl2", "wink2l", "leftblink", "lefteyeclose"),
    "eye_right": ("ウインク2右", "ウインク右2", "まば右", "まばたき右", "右まばたき", "右目閉じ", "右眼闭",
                  "wink2right",
                  "winkright2", "blinkright", "blinkr", "eyeblinkright", "eyeblinkr", "eyecloseright", "eyecloser",
                  "winkr2", "wink2r", "rightblink", "righteyeclose"),
    "eye_left_smile": ("ウインク", "ウインク左", "左ウインク", "笑い左", "wink", "winkleft", "winkl", "eyejoyl",
                       "眨眼左",
                       "eyesquintleft", "smileleft"),
    "eye_right_smile": ("ウインク右", "右ウインク", "笑い右", "winkright", "winkr", "eyejoyr",
                        "眨眼右", "eyesquintright",
                        "smileright"),
    "eye_wide": ("びっくり", "見開き", "驚き", "吃惊", "惊讶", "surprised", "surprise", "eyewide", "eyesurprised"),
    "mouth_a": ("あ", "あ1", "a", "aa", "ah", "mtha", "mouthageoc", "啊", "va", "voa", "mouthopen", "jawopen"),
    "mouth_i": ("い", "i", "ih", "mthi", "mouthigeoc", "衣"),
    "mouth_u": ("う", "u", "uu", "ou", "mthu", "mouthugeoc", "乌"),
    "mouth_e": ("え", "e", "ee", "eh", "mthe", "mouthegeoc", "诶"),
    "mouth_o": ("お", "o", "oh", "mtho", "mouthogeoc", "哦"),
    "mouth_smile": ("にっこり", "口角上げ", "にやり", "口微笑", "mouthsmile", "mthup", "mthfun", "微笑", "口わらい"),
    "mouth_frown": ("∧", "へ", "口角下げ", "mouthfrown", "mthdown", "mthangry", "む", "mouthsad"),
    "brow_up": ("上", "眉上", "眉毛上", "browup", "eyebrowup", "brwsurprised", "browouterup"),
    "brow_down": ("下", "眉下", "眉毛下", "browdown", "eyebrowdown", "browlow"),
    "brow_troubled": ("困る", "困り", "眉困る", "困", "brwsorrow", "browsad", "troubled", "browinnerup", "悲しい"),
    "brow_angry": ("怒り", "怒", "眉怒る", "眉怒り", "brwangry", "browangry", "angry", "angledeyebrows", "真面目"),
    "look_up": ("lookup", "上目", "目上", "eyelookup"),
    "look_down": ("lookdown", "下目", "目下", "eyelookdown"),
    "look_left": ("lookleft", "左目線", "目左"),
    "look_right": ("lookright", "右目線", "目右"),
}  # fmt: skip
PRESETS = {"eyes": "blink", "eye_left": "blinkLeft", "eye_right": "blinkRight", "mouth_a": "aa", "mouth_i": "ih",
           "mouth_u": "ou", "mouth_e": "ee", "mouth_o": "oh", "look_up": "lookUp", "look_down": "lookDown",
           "look_left": "lookLeft", "look_right": "lookRight"}  # fmt: skip
BONES: dict[str, tuple[str, ...]] = {
    "neck": ("首", "neck", "脖子", "颈", "頚", "jbipcneck", "neckarmature"),
    "head": ("頭", "head", "头", "頭部", "jbipchead", "headarmature"),
    "left_eye": ("左目", "eyel", "lefteye", "左眼", "jadjlfaceeye"),
    "right_eye": ("右目", "eyer", "righteye", "右眼", "jadjrfaceeye"),
    "upper_body": ("上半身", "upperbody", "spine", "上身"),
    "left_arm": ("左腕", "arml", "leftarm", "leftupperarm", "左臂"),
    "right_arm": ("右腕", "armr", "rightarm", "rightupperarm", "右臂"),
}
HUMANOID = {"neck": "neck", "head": "head", "left_eye": "leftEye", "right_eye": "rightEye", "upper_body": "spine",
            "left_arm": "leftUpperArm", "right_arm": "rightUpperArm"}  # fmt: skip


def plain(name: str) -> str:
    """A name for comparison: one width, no case, no separators, ウィ as ウイ, without the usual prefixes."""
    text = unicodedata.normalize("NFKC", name).casefold().replace("ウィ", "ウイ").replace("wink_", "wink")
    text = _NOISE.sub("", text)
    shorter = _PREFIX.sub("", text)
    return shorter or text


_MEANINGS = {name: meaning for meaning, names in MORPHS.items() for name in names}
_RANKS = {name: rank for names in MORPHS.values() for rank, name in enumerate(names)}
_BONES = {name: meaning for meaning, names in BONES.items() for name in names}


def morph_hint(*names: str) -> tuple[str, int] | None:
    """What a morph of these names (of one morph, in several languages) usually does, and how usual that is (0 most)."""
    for name in names:
        key = plain(name)
        if key in _MEANINGS:
            return _MEANINGS[key], _RANKS[key]
    return None


def bone_hint(*names: str) -> str | None:
    for name in names:
        meaning = _BONES.get(plain(name))
        if meaning is not None:
            return meaning
    return None
