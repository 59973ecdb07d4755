"""GLSL 3.30 of the character renderer: one vertex shader, one fragment shader per material.

One program per material, since a software rasteriser pays for both branches of an `if`; no `discard` in the colour
programs, so that hidden fragments are rejected before they are painted. Light and texture are fixed to the surface
(they use rest positions and rest normals): then moving pixels explains every pose.
"""

VERTEX = """
#version 330
in vec3 position; in vec3 morph; in vec3 normal; in vec2 weight; in vec3 mask; in vec4 material; in vec4 colour;
uniform vec3 expression;       // left eye, right eye, mouth
uniform vec3 neck;             // radians about z, x, y
uniform vec3 root; uniform vec3 tip;
// shares: turn, nod, a turn's back, squash; z of both axes and the back, a nod's back
uniform vec4 relief; uniform vec4 axes;
uniform float expand;          // outline, pixels
uniform vec3 light; uniform float flatten;   // drawn surfaces are nearly flat: normals bent towards the viewer
out vec4 v_material; out vec4 v_colour; out float v_light; out vec2 v_rest;
#ifdef TRUTH
uniform vec3 rest_expression; uniform float still;
out vec3 v_neutral; out vec2 v_first; flat out float v_mouth; out vec2 v_weight;
#endif
// Angles are below 0.3: these series are exact to a millionth, and far cheaper than a software rasteriser's own.
float cosine(float a) { float b = a * a; return 1.0 - b * (0.5 - b * (1.0 / 24.0 - b / 720.0)); }
float sine(float a) { float b = a * a; return a * (1.0 - b * (1.0 / 6.0 - b * (1.0 / 120.0 - b / 5040.0))); }
vec3 bend(vec3 p) {
    vec3 q = p - tip;
    float front = max(p.z, axes.z), behind = min(p.z - axes.z, 0.0);
    float a = neck.z * weight.y, c = cosine(a), s = sine(a);
    float near = q.x * s + relief.y * (front + axes.w * behind - axes.y) * c;
    float across = q.x * (1.0 - relief.w * (1.0 - c)) - relief.x * (front + relief.z * behind - axes.x) * s;
    q = vec3(across, q.y, q.x * s + q.z * c);
    a = neck.y * weight.y; c = cosine(a); s = sine(a);
    q = vec3(q.x, q.y * (1.0 - relief.w * (1.0 - c)) - near * s, q.y * s + q.z * c);
    q += tip - root;
    a = neck.x * weight.x; c = cosine(a); s = sine(a);
    q = vec3(q.x * c + q.y * s, -q.x * s + q.y * c, q.z);
    return q + root;
}
void main() {
    float k = dot(mask, expression);
#ifdef TRUTH
    vec3 p = position + morph * k + vec3(normal.xy * expand, 0.0);
#else
    vec3 p = position + morph * k + normal * expand;
#endif
    v_material = material;
#ifdef EYE
    v_material.xy += material.zw * k;
#endif
    v_colour = colour;
    v_light = dot(normalize(normal + vec3(0.0, 0.0, flatten)), light);
    v_rest = position.xy;
#ifdef TRUTH
    v_neutral = p;
    // an eye's window shrinks over a picture that stays where it is
    v_first = still > 0.5 ? p.xy : position.xy + morph.xy * dot(mask, rest_expression) + normal.xy * expand;
    v_mouth = mask.z;
    v_weight = weight;
#endif
    vec3 q = bend(p);
    gl_Position = vec4(q.xy / 128.0 - 1.0, -q.z / 400.0, 1.0);
}
"""

_COMMON = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
out vec4 f;
uniform float softness; uniform float strength;
uniform sampler2D noise; uniform float texture_strength;
float lit(float level) { return smoothstep(level - softness, level + softness, v_light); }
float paint() { return (texture(noise, v_rest / 170.0).g - 0.5) * texture_strength; }
"""

_SKIN = """
uniform vec3 skin; uniform vec3 skin_shadow; uniform vec3 blush; uniform vec4 blush_spot; uniform float blush_strength;
uniform sampler2D shade_map; uniform vec2 shade_shift; uniform float hair_shadow; uniform float neck_shadow;
vec3 skin_at(float face) {
    vec2 shift = mix(vec2(shade_shift.x * 0.5, 11.0), shade_shift, face);
    vec2 map = texture(shade_map, (v_rest - shift) / 256.0).rg;
    float p = paint(), edge = mix(softness, max(softness, 0.22), face);
    float form = (1.0 - smoothstep(-edge, edge, v_light - 0.1 + p * 0.5)) * strength * 0.6;
    float dark = max(form, mix(map.g * neck_shadow, map.r * hair_shadow, face));
    vec3 c = mix(skin, skin_shadow, clamp(dark, 0.0, 1.0));
    return c * (1.0 + 0.10 * p);
}
"""

SKIN = (
    _COMMON
    + _SKIN
    + """
void main() {
    float kind = v_material.z;
    float face = kind < 0.5 ? 1.0 : (kind > 1.5 ? 1.0 : 0.0);
    vec3 c = skin_at(face);
    vec2 d = vec2(abs(v_material.x - 128.0) - blush_spot.x, v_material.y - blush_spot.y) / blush_spot.zw;
    float b = exp(-dot(d, d)) * blush_strength * face;
    if (kind > 1.5) b = blush_strength * 0.4;
    c = mix(c, c * blush, b);
    f = vec4(c, 1.0);
}
"""
)

BODY = (
    _COMMON
    + _SKIN
    + """
uniform vec3 cloth; uniform vec3 trim; uniform vec3 cloth_shadow;
uniform vec4 neckline; uniform float trim_width; uniform float bare; uniform float straps; uniform float neck_y;
uniform float jacket; uniform float braces; uniform vec3 inner; uniform vec3 accent;
void main() {
    float x = abs(v_material.x), y = v_material.y;
    float t = clamp((y - neck_y) / neckline.y, 0.0, 1.0);
    float edge = neckline.x * pow(max(1.0 - pow(t, neckline.z), 0.0), neckline.w) * step(1e-3, 1.0 - t);
    float d = x - edge;                                     // px outside the neckline
    float top = bare + 5.0 * cos(v_material.x * 0.11);
    float strap = straps * (1.0 - smoothstep(2.2, 3.0, abs(x - 24.0)));
    float b = bare > 0.0 ? max(smoothstep(top - 0.4, top + 0.4, y), strap) : smoothstep(-0.3, 0.3, d);
    float band = bare > 0.0 ? y - top : d;
    vec3 bare_skin = skin_at(0.0);
    float p = paint();
    float l = lit(0.12 + p * 0.6);
    float fold = smoothstep(0.5, 0.9, texture(noise, vec2(x * 0.006, y * 0.0025 - x * 0.004)).b);
    float under = texture(shade_map, (v_rest - vec2(shade_shift.x * 0.5, 11.0)) / 256.0).g;
    float gap = 1.5 + jacket * smoothstep(200.0, 262.0, y);
    vec3 base = jacket > 0.0 ? mix(inner, cloth, smoothstep(-0.4, 0.4, x - gap)) : cloth;
    float lapel = jacket > 0.0 ? 1.0 - smoothstep(0.0, 1.0, abs(x - gap) - 0.2) : 0.0;
    float brace = braces > 0.0 ? 1.0 - smoothstep(braces - 0.4, braces + 0.4, abs(x - 23.0)) : 0.0;
    base = mix(base, accent, brace);
    float seam = braces > 0.0 ? 1.0 - smoothstep(0.0, 0.8, abs(abs(x - 23.0) - braces)) : 0.0;
    base = mix(base, base * 0.45, max(lapel, seam) * 0.7);
    float edging = 1.0 - smoothstep(trim_width - 0.3, trim_width + 0.3, abs(band - trim_width * 0.6));
    vec3 c = mix(base, trim, trim_width > 0.0 ? edging : 0.0);
    float dark = max(max((1.0 - l) * strength, fold * 0.55 * strength), under * 0.6 * max(hair_shadow, 0.3));
    c = mix(c, c * cloth_shadow, dark) * (1.0 + 0.16 * p);
    f = vec4(mix(bare_skin, c, b), 1.0);
}
"""
)

HAIR = (
    _COMMON
    + """
uniform vec3 hair_root; uniform vec3 hair_mid; uniform vec3 hair_tip; uniform vec3 hair_inner;
uniform vec3 hair_shadow_colour;
uniform vec3 hair_light; uniform vec3 hair_line; uniform vec4 band; uniform float streaks; uniform float strands;
uniform float line_width; uniform float line_alpha;
void main() {
    float u = v_material.x, t = v_material.y, half_width = v_material.z, arc = v_material.w;
    float tone = v_colour.x, shine = v_colour.y, seed = v_colour.w;
    vec4 s = texture(noise, vec2(u * min(half_width, 14.0) * 0.022 + seed * 7.0, t * 0.05 + seed));
    float streak = s.r - 0.5;
    vec3 c = mix(hair_root, hair_mid, smoothstep(0.0, 0.45, t));
    c = mix(c, hair_tip, smoothstep(0.5, 1.0, t));
    float p = paint();
    float l = v_light + streak * streaks * 1.1 + p * 0.7;
    float dark = 1.0 - smoothstep(0.10 - softness, 0.10 + softness, l);
    vec3 shade = hair_shadow_colour;
    // one shadow, not two on top of each other: drawings shade what lies behind hardly darker than what faces away
    float deep = clamp((1.0 - tone) * 0.9, 0.0, 1.0) * (0.35 + 0.65 * strength);
    c = mix(c, c * shade, max(dark * strength, deep));
    c = mix(c, hair_inner, smoothstep(0.55, 0.2, tone) );
    float hairline = smoothstep(0.60, 0.70, s.r) * smoothstep(0.02, 0.2, t) * strands;
    c = mix(c, hair_line, hairline * 0.55);
    c *= 1.0 - 0.18 * strength * u * u * step(half_width, 50.0);
    float b = abs(arc - band.x + streak * band.w * 1.6) / band.y;
    b = (1.0 - smoothstep(0.35, 1.0 + softness, b)) * band.z * shine * smoothstep(-0.1, 0.35, l);
    c = mix(c, hair_light, b);
    c *= 1.0 + (0.22 * streak * streaks + 0.12 * p);
    float e = (1.0 - abs(u)) * half_width;
    float a = (1.0 - smoothstep(line_width - 0.3, line_width + 0.35, e)) * line_alpha * v_colour.z;
    a *= smoothstep(0.0, 0.3, t) * smoothstep(0.5, 2.4, half_width);     // not at the crown, not on thin strands
    c = mix(c, hair_line, a);
    f = vec4(c, 1.0);
}
"""
)

INK = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
out vec4 f;
uniform float opacity;
void main() {
    float e = (1.0 - abs(v_material.x)) * v_material.z;
    float a = v_colour.a * opacity * clamp(e * 3.2 + 0.1, 0.0, 1.0);
    f = vec4(v_colour.rgb * a, a);
}
"""

EYE = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
out vec4 f;
uniform float opacity;
uniform vec3 iris_top; uniform vec3 iris_bottom; uniform vec3 iris_bottom_left; uniform vec3 iris_rim;
uniform vec3 sclera;
uniform vec4 lights[3]; uniform float pupil; uniform float glow; uniform int design;
void main() {
    vec2 p = v_material.xy;
    float r = length(p);
    vec3 bottom = mix(iris_bottom, iris_bottom_left, v_colour.a);
    vec3 white = sclera * mix(0.72, 1.0, smoothstep(-1.15, -0.35, p.y));
    float y = p.y * 0.5 + 0.5;
    vec3 c = mix(iris_top, bottom, smoothstep(0.12, 0.85, y));
    float rim = smoothstep(0.70, 0.98, r);
    if (design == 1) {
        c = mix(bottom, iris_top, smoothstep(0.35, 0.5, r) * 0.7);
        c = mix(c, bottom * 1.12, smoothstep(0.6, 0.7, r) * (1.0 - smoothstep(0.78, 0.86, r)));
    } else if (design == 2) {
        c = mix(bottom, iris_top, 0.35 * step(p.y, -0.15));
        rim *= 0.6;
    } else if (design == 3) {
        c = mix(iris_rim, bottom, smoothstep(0.35, 1.0, y));
        float a = atan(p.y, p.x);
        c *= 0.92 + 0.16 * sin(a * 17.0) * smoothstep(0.2, 0.6, r);
    } else if (design == 4) {
        c = mix(iris_top, bottom, smoothstep(0.9, 0.1, length(p - vec2(0.0, 0.45))));
    } else if (design == 5) {
        float a = atan(p.y, p.x);
        c = mix(bottom * 1.15, iris_top, smoothstep(0.30, 0.40, r * (0.75 + 0.35 * cos(a * 5.0 + 1.57))));
    }
    vec2 q = p / vec2(max(pupil, 0.01), max(pupil, 0.01) * 1.1);
    float hole = pupil > 0.0 ? 1.0 - smoothstep(0.8, 1.1, length(q)) : 0.0;
    c = mix(c, iris_rim * 0.7, hole * (design == 5 ? 0.0 : 0.85));
    float crescent = smoothstep(0.45, 0.8, r) * smoothstep(0.25, 0.75, p.y) * (1.0 - smoothstep(0.78, 0.95, r));
    c = mix(c, bottom * 0.5 + 0.55, crescent * glow * 0.7);
    c = mix(c, iris_rim, rim * 0.85);
    c = mix(c * 0.6, c, smoothstep(-1.0, -0.3, p.y));
    c = mix(c, white, smoothstep(0.94, 1.06, r));
    for (int i = 0; i < 3; i++) {
        vec2 d = (p - lights[i].xy) / lights[i].zw;
        c = mix(c, vec3(1.0), 1.0 - smoothstep(0.75, 1.05, length(d)));
    }
    f = vec4(c, 1.0) * opacity;
}
"""

SOLID = (
    _COMMON
    + """
uniform vec3 cloth_shadow; uniform float line_width; uniform float line_alpha;
void main() {
    float p = paint();
    float l = lit(0.15 + p * 0.6);
    vec3 c = mix(v_colour.rgb, v_colour.rgb * cloth_shadow, (1.0 - l) * strength) * (1.0 + 0.16 * p);
    float e = (1.0 - abs(v_material.x)) * v_material.z;
    float a = (1.0 - smoothstep(line_width - 0.3, line_width + 0.4, e)) * line_alpha;
    f = vec4(mix(c, v_colour.rgb * 0.32, a), 1.0);
}
"""
)

HULL = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
out vec4 f;
uniform vec3 line; uniform float own;
void main() { f = vec4(mix(line, v_colour.rgb * 0.32, own), 1.0); }
"""

MASK = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
out vec4 f;
void main() { f = vec4(1.0); }
"""

_TRUTH = """
#version 330
in vec4 v_material; in vec4 v_colour; in float v_light; in vec2 v_rest;
in vec3 v_neutral; in vec2 v_first; flat in float v_mouth;
layout(location = 0) out vec4 f0;
layout(location = 1) out vec4 f1;
uniform float part; uniform float mouth_shown; uniform float size; uniform float check;
uniform sampler2D neutral;
float seen() {
    // In the neck-zero image, is anything nearer than this point, at the pixels round its place?
    vec2 at = v_neutral.xy * size / 256.0 - 0.5;
    ivec2 i = ivec2(floor(at));
    int last = int(size) - 1;
    
    float nearest = 1e9;
    for (int k = 0; k < 4; k++) {
        ivec2 j = clamp(i + ivec2(k & 1, k >> 1), ivec2(0), ivec2(last));
        nearest = min(nearest, abs(texelFetch(neutral, j, 0).z * 256.0 / size - v_neutral.z));
    }
    return nearest < 1.7 && at.x > -0.5 && at.y > -0.5 && at.x < size - 0.5 && at.y < size - 0.5 ? 1.0 : 0.0;
}
void main() {
    DISCARD
    float k = size / 256.0;
    float p = part;
    ADJUST
    // differences from this pixel: background stays zero
    f0 = vec4(v_neutral.xy * k - gl_FragCoord.xy, v_neutral.z * k, p);
    f1 = vec4(v_first * k - gl_FragCoord.xy, check > 0.5 ? seen() : 1.0, 1.0);
}
"""
_FAINT = """float e = (1.0 - abs(v_material.x)) * v_material.z;
    if (v_colour.a * clamp(e * 3.2 + 0.1, 0.0, 1.0) < 0.4) discard;"""
TRUTH = _TRUTH.replace("DISCARD", "").replace("ADJUST", "")
TRUTH_INK = _TRUTH.replace("DISCARD", _FAINT).replace(
    "ADJUST", "if (v_mouth > 0.5 && v_material.z > 50.0 && mouth_shown < 0.5) p = 4.0;"
)

_PLACE = """
#version 330
in vec4 v_material; in vec4 v_colour; in vec3 v_neutral; in vec2 v_weight;
out vec4 f;
uniform float part;
void main() {
    DISCARD
    f = vec4(v_neutral.z, v_weight, part);
}
"""
# which layer, how deep, how far it follows
PLACE = _PLACE.replace("DISCARD", "")
PLACE_INK = _PLACE.replace("DISCARD", _FAINT)
