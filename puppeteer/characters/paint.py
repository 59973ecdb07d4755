"""GLSL 3.30 fragment shaders: how skin, cloth, hair, ink and eyes are painted.

One program per material, since a software rasteriser pays for both branches of an `if`; no `discard`, so that hidden
fragments are rejected before they are painted. Light and texture are fixed to the surface (they use rest positions and
rest normals): then moving pixels explains every pose.
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
    float form = (1.0 - smoothstep(-edge, edge, v_light - 0.1 + p * 0.5)) * strength * 0.55;
    float dark = clamp(max(form, mix(map.g * neck_shadow, map.r * hair_shadow, face)), 0.0, 1.0);
    vec3 c = mix(skin, skin_shadow, dark);
    c *= mix(vec3(1.0), vec3(1.0, 0.87, 0.82), 4.0 * dark * (1.0 - dark) * 0.45);   // light that comes through skin
    return c * (1.0 + 0.08 * p);
}
"""

SKIN = (
    _COMMON
    + _SKIN
    + """
uniform vec4 face; uniform float planes;   // rows of nose, eyes, mouth; light on the cheeks
void main() {
    float kind = v_material.z;
    float on_face = kind < 0.5 ? 1.0 : (kind > 1.5 ? 1.0 : 0.0);
    vec3 c = skin_at(on_face);
    float x = abs(v_material.x - 128.0), y = v_material.y;
    vec2 d = vec2(x - blush_spot.x, y - blush_spot.y) / blush_spot.zw;
    float b = exp(-dot(d, d)) * blush_strength * on_face;
    if (kind > 1.5) b = blush_strength * 0.7;
    c = mix(c, c * blush, b);
    // warm under the fringe and on the nose's tip
    vec2 n = vec2(v_material.x - 128.0, y - face.x - 0.5) / vec2(3.0, 2.4);
    float warm = 0.35 * (1.0 - smoothstep(104.0, 138.0, y)) + 0.20 * exp(-dot(n, n));
    c = mix(c, c * vec3(1.0, 0.90, 0.86), warm * on_face);
    // planes of a modelled face: beside the nose, under the cheekbones, under the lip
    vec2 s = vec2(v_material.x - 128.0 - 4.6, y - face.x + 4.0) / vec2(2.6, 8.5);
    vec2 h = vec2(x - 27.0, y - face.z + 4.0 + (x - 27.0) * 0.9) / vec2(6.5, 7.0);
    vec2 l = vec2(v_material.x - 128.0, y - face.z - 4.6) / vec2(5.0, 1.5);
    float plane = exp(-dot(s, s)) * 0.6 + exp(-dot(h, h)) * 0.8 + exp(-dot(l, l)) * 0.5;
    c = mix(c, mix(c, c * skin_shadow / max(skin, vec3(0.05)), 0.9), clamp(plane * planes, 0.0, 1.0) * on_face);
    vec2 g = vec2(x - blush_spot.x + 2.5, y - blush_spot.y + 1.0) / vec2(4.5, 2.6);
    c = mix(c, vec3(1.0), 0.28 * face.w * exp(-dot(g, g)) * on_face);
    f = vec4(c, 1.0);
}
"""
)

_FOLDS = """
uniform float folds;
// Creases that run from the shoulder inwards: broad and crisp, more of them lower down.
float creases(vec2 at, float side) {
    vec2 q = vec2(at.x * 0.85 + at.y * 0.53 * side, at.y * 0.85 - at.x * 0.53 * side);
    float n = texture(noise, q * vec2(0.0062, 0.0040) + vec2(0.17 * side, 0.31)).r;
    return smoothstep(0.64 - softness * 0.1, 0.67 + softness * 0.2, n) * folds;
}
"""

BODY = (
    _COMMON
    + _SKIN
    + _FOLDS
    + """
uniform vec3 cloth; uniform vec3 trim; uniform vec3 cloth_shadow;
uniform vec4 neckline; uniform float trim_width; uniform float bare; uniform float straps; uniform float neck_y;
uniform float jacket; uniform float braces; uniform vec3 inner; uniform vec3 accent;
void main() {
    float x = abs(v_material.x), y = v_material.y;
    float t = clamp((y - neck_y) / neckline.y, 0.0, 1.0);
    float edge = neckline.x * pow(max(1.0 - pow(t, neckline.z), 0.0), neckline.w) * step(1e-3, 1.0 - t);
    float d = x - edge;                                     // px outside the neckline
    float top = bare + 3.5 * cos(v_material.x * 0.10);
    float strap = straps * (1.0 - smoothstep(1.6, 2.4, abs(x - 23.0 - (y - 220.0) * 0.1)));
    float open = smoothstep(-0.3, 0.3, d);
    float band = d;
    if (t > 0.98) band = length(vec2(x, y - neck_y - 0.98 * neckline.y));   // under its lowest point
    if (bare == 0.0 && straps > 0.0) {   // straps hold a bodice
        band = y - 229.0 - 0.0016 * x * x;
        open = max(smoothstep(-0.3, 0.3, band), strap);
    }
    float b = bare > 0.0 ? max(smoothstep(top - 0.4, top + 0.4, y), strap) : open;
    if (bare > 0.0) band = y - top;
    vec3 bare_skin = skin_at(0.0);
    float p = paint();
    float l = lit(0.08 + p * 0.6);
    float fold = creases(v_rest, v_material.x < 0.0 ? 1.0 : -1.0) * smoothstep(206.0, 228.0, y);
    fold *= smoothstep(1.0, 10.0, x);
    float under = texture(shade_map, (v_rest - vec2(shade_shift.x * 0.5, 11.0)) / 256.0).g;
    float gap = 2.5 + jacket * smoothstep(204.0, 262.0, y);
    vec3 base = jacket > 0.0 ? mix(inner, cloth, smoothstep(-0.4, 0.4, x - gap)) : cloth;
    float lapel = jacket > 0.0 ? 1.0 - smoothstep(0.0, 0.9, abs(x - gap) - 0.1) : 0.0;
    float brace = braces > 0.0 ? 1.0 - smoothstep(braces - 0.4, braces + 0.4, abs(x - 23.0)) : 0.0;
    base = mix(base, accent, brace);
    float seam = braces > 0.0 ? 1.0 - smoothstep(0.0, 0.8, abs(abs(x - 23.0) - braces)) : 0.0;
    float hem = 1.0 - smoothstep(0.2, 0.8, abs(band));
    base = mix(base, base * 0.42, max(max(lapel, seam) * 0.8, hem * 0.6));
    float edging = 1.0 - smoothstep(trim_width - 0.3, trim_width + 0.3, abs(band - trim_width - 1.2));
    vec3 c = mix(base, trim, trim_width > 0.0 ? edging : 0.0);
    float inside = jacket > 0.0 ? (1.0 - smoothstep(0.0, 3.0, gap - x)) * step(x, gap) : 0.0;
    float dark = max(max((1.0 - l) * strength, fold * 0.75 * strength), under * 0.75 * max(hair_shadow, 0.3));
    c = mix(c, c * cloth_shadow, max(dark, inside * 0.8)) * (1.0 + 0.10 * p);
    f = vec4(mix(bare_skin, c, b), 1.0);
}
"""
)

HAIR = (
    _COMMON
    + """
uniform vec3 hair_root; uniform vec3 hair_mid; uniform vec3 hair_tip; uniform vec3 hair_inner;
uniform vec3 hair_shadow_colour; uniform vec3 skin;
uniform vec3 hair_light; uniform vec3 hair_line; uniform vec4 band; uniform float streaks; uniform float strands;
uniform float line_width; uniform float line_alpha;
void main() {
    float u = v_material.x, t = v_material.y, half_width = v_material.z, arc = v_material.w;
    float tone = v_colour.x, shine = v_colour.y, seed = v_colour.w;
    // strands run along a lock and come together in its tip
    float across = u * min(half_width, 16.0);
    vec4 s = texture(noise, vec2(across * 0.0095 + seed * 7.0, t * 0.016 + seed));
    float streak = s.r - 0.5, p = paint();
    float deep = smoothstep(0.60, 0.20, tone);
    vec3 c = mix(hair_root, hair_mid, smoothstep(0.0, 0.40, t));
    c = mix(c, hair_tip, smoothstep(0.45, 1.0, t) * smoothstep(50.0, 120.0, arc) * smoothstep(0.82, 0.92, tone));
    c = mix(c, hair_inner, deep);
    // one shadow, in wedges: what faces away, and between strands, widening towards the tips
    float l = v_light + streak * streaks * 0.8 + p * 0.5;
    float away = 1.0 - smoothstep(0.02 - softness, 0.06 + softness, l);
    float level = mix(0.30, 0.46, smoothstep(0.2, 0.9, t));
    float wedge = (1.0 - smoothstep(level - 0.02 - 0.10 * softness, level + 0.02 + 0.20 * softness, s.r)) * streaks;
    wedge *= smoothstep(0.02, 0.25, t);
    float under = clamp((1.0 - tone) * 2.4, 0.0, 1.0) * (1.0 - deep) * smoothstep(0.1, 0.55, t);
    // what the head throws on the hair behind and beside it
    float beside = exp(-pow((v_rest.x - 128.0) / 46.0, 2.0)) * smoothstep(128.0, 172.0, v_rest.y);
    under = max(under, beside * (1.0 - smoothstep(0.84, 0.96, tone)));
    float dark = max(max(away * strength, under), wedge * (0.35 + 0.6 * strength));
    c = mix(c, c * hair_shadow_colour, dark * (1.0 - 0.35 * deep));
    // fine lines between strands, thinner at both ends
    float thin = smoothstep(0.0, 0.3, t) * smoothstep(1.0, 0.7, t);
    float hairline = (1.0 - smoothstep(0.0, 0.018 + 0.022 * thin, abs(s.r - 0.62))) * thin * strands;
    c = mix(c, hair_line, hairline * 0.4);
    // a broad light, ragged along the strands and broken across the head
    float ragged = streak * band.w + (texture(noise, vec2(v_rest.x / 40.0, 0.3)).r - 0.5) * band.w * 0.8;
    float patches = smoothstep(0.30, 0.55, texture(noise, vec2(v_rest.x / 150.0 + band.x, 0.7)).g);
    float b = abs(arc - band.x + ragged) / band.y;
    b = (1.0 - smoothstep(0.75 - softness, 1.0 + softness, b)) * band.z * shine * patches * smoothstep(-0.15, 0.25, l);
    float glossy = exp(-pow((arc - band.x) / (band.y * 3.0), 2.0)) * shine * 0.28 * band.z;
    c = mix(c, hair_light, max(b, glossy) * (1.0 - deep));
    // light of the face in the hair before it
    vec2 near = (v_rest - vec2(128.0, 152.0)) / vec2(34.0, 26.0);
    c = mix(c, skin, 0.20 * exp(-dot(near, near)) * smoothstep(0.55, 1.0, t) * smoothstep(0.8, 0.95, tone) * shine);
    c *= (1.0 + 0.08 * p) * mix(0.94, 1.05, smoothstep(-0.2, 0.9, v_light));
    // outlines: coloured, thin at the root, heavier on the side away from the light
    float width = line_width * (0.45 + 0.75 * smoothstep(0.15, 0.75, t)) * (u > 0.0 ? 1.2 : 0.9) * (0.7 + 0.6 * s.g);
    float e = (1.0 - abs(u)) * half_width;
    float a = (1.0 - smoothstep(width - 0.3, width + 0.3, e)) * line_alpha * v_colour.z;
    a *= smoothstep(0.22, 0.60, t) * smoothstep(0.4, 2.0, half_width);
    c = mix(c, mix(hair_line, c * hair_shadow_colour, 0.25), a * 0.9);
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
uniform vec3 sclera; uniform vec3 skin_shadow;
uniform vec4 lights[3]; uniform float pupil; uniform float glow; uniform int design;
uniform float empty;   // 1: the white without its iris
void main() {
    vec2 p = v_material.xy;
    float r = length(p);
    vec3 bottom = mix(iris_bottom, iris_bottom_left, v_colour.a);
    // the lid's shadow lies on the white
    float shade = smoothstep(-0.30, -0.62, v_material.w - 0.10 * abs(v_material.z));
    vec3 white = mix(sclera, sclera * mix(vec3(0.74, 0.74, 0.84), skin_shadow, 0.35), shade);
    float y = p.y * 0.5 + 0.5;
    vec3 middle = mix(iris_top, bottom, 0.45) * vec3(1.02);
    vec3 c = mix(mix(iris_top, middle, smoothstep(0.10, 0.50, y)), bottom, smoothstep(0.45, 0.95, y));
    float rim = smoothstep(0.74, 0.97, r);
    float a = atan(p.y, p.x);
    if (design == 1) {
        c = mix(c, iris_top, smoothstep(0.42, 0.52, r) * (1.0 - smoothstep(0.60, 0.72, r)) * 0.75);
    } else if (design == 2) {
        c = mix(bottom, iris_top, 0.45 * (1.0 - smoothstep(-0.25, -0.05, p.y)));
        rim *= 0.7;
    } else if (design == 3) {
        c = mix(iris_rim, bottom, smoothstep(0.35, 1.0, y));
    } else if (design == 4) {
        c = mix(iris_top, bottom, smoothstep(0.95, 0.1, length(p - vec2(0.0, 0.5))));
    } else if (design == 5) {
        c = mix(bottom * 1.15, iris_top, smoothstep(0.30, 0.40, r * (0.75 + 0.35 * cos(a * 5.0 + 1.57))));
    }
    // fibres
    c *= 1.0 + 0.13 * sin(a * 19.0 + 2.0 * sin(a * 7.0)) * smoothstep(0.25, 0.6, r) * smoothstep(-0.6, 0.4, p.y);
    vec2 q = (p - vec2(0.0, -0.06)) / vec2(max(pupil, 0.01) * 0.86, max(pupil, 0.01) * 1.12);
    float hole = pupil > 0.0 ? 1.0 - smoothstep(0.82, 1.06, length(q)) : 0.0;
    c = mix(c, iris_rim * 0.6, hole * (design == 5 ? 0.0 : 0.92));
    // light that falls through and gathers below
    vec2 low = (p - vec2(0.0, 0.52)) / vec2(0.62, 0.36);
    c = mix(c, bottom * 0.55 + 0.48, smoothstep(1.0, 0.35, length(low)) * glow * 0.75 * (1.0 - hole));
    c = mix(c, iris_rim, rim * mix(0.95, 0.70, smoothstep(0.2, 0.9, p.y)));
    c *= mix(0.42, 1.0, smoothstep(-0.95, -0.15, p.y));
    // the sky in the upper half
    vec2 sky = (p - vec2(0.0, -0.52)) / vec2(0.70, 0.30);
    c = mix(c, vec3(0.75, 0.82, 1.0), 0.22 * smoothstep(1.0, 0.6, length(sky)));
    float iris = (1.0 - smoothstep(0.95, 1.05, r)) * (1.0 - empty);
    c = mix(white, c, iris);
    for (int i = 0; i < 3; i++) {
        vec2 d = (p - lights[i].xy) / lights[i].zw;
        c = mix(c, vec3(1.0), (1.0 - smoothstep(0.80, 1.04, length(d))) * (1.0 - empty));
    }
    // seen through hair, an eye is its iris
    f = vec4(c, 1.0) * opacity * (opacity < 0.999 ? iris : 1.0);
}
"""

SOLID = (
    _COMMON
    + _FOLDS
    + """
uniform vec3 cloth_shadow; uniform float line_width; uniform float line_alpha;
void main() {
    float p = paint();
    float l = lit(0.08 + p * 0.6);
    float fold = v_material.w * creases(v_rest, v_rest.x < 128.0 ? 1.0 : -1.0);
    float dark = max((1.0 - l) * strength, fold * 0.75 * strength);
    vec3 c = mix(v_colour.rgb, v_colour.rgb * cloth_shadow, dark) * (1.0 + 0.10 * p);
    float e = (1.0 - abs(v_material.x)) * v_material.z;
    // px from where it begins or ends: alpha is its length
    float ends = v_colour.a > 1.5 ? (0.5 - abs(v_material.y - 0.5)) * v_colour.a : 99.0;
    float width = line_width * (0.75 + 0.5 * texture(noise, v_rest / 90.0).g);
    float a = 1.0 - smoothstep(width - 0.3, width + 0.4, min(e, ends));
    f = vec4(mix(c, v_colour.rgb * vec3(0.36, 0.30, 0.34), a * line_alpha), 1.0);
}
"""
)
