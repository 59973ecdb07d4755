"""GLSL 3.30 of the renderer of 3D models. Positions arrive posed, in spec px: x right, y down, z towards the viewer."""

VERTEX = """
#version 330
in vec3 position; in vec3 normal; in vec2 uv; in float edge;
uniform float expand; uniform vec4 uv_transform; uniform vec4 view;   // scale, offset of the whole
out vec3 v_normal; out vec2 v_uv;
void main() {
    v_normal = normal;
    v_uv = uv * uv_transform.xy + uv_transform.zw;
    vec3 p = position;
    // outlines grow in the picture's plane, by the same width wherever a surface turns away
    if (expand > 0.0) p += vec3(vec2(normal.x, -normal.y) * expand * edge, -0.4);   // behind what it goes round
    gl_Position = vec4(p.xy * view.xy + view.zw, -p.z / 1000.0, 1.0);
}
"""

_HEAD = """
#version 330
in vec3 v_normal; in vec2 v_uv;
out vec4 f;
uniform sampler2D main_map; uniform vec4 base; uniform vec4 factor; uniform float cutoff; uniform float opaque;
vec3 facing() { vec3 n = normalize(v_normal); return gl_FrontFacing ? n : -n; }
vec4 painted() {
    vec4 c = texture(main_map, v_uv);
    c.rgb = mix(vec3(1.0), c.rgb, factor.a) * factor.rgb;
    c *= base;
    if (opaque > 0.5) c.a = 1.0;
    if (c.a < max(cutoff, 0.006)) discard;
    if (cutoff > 0.0) c.a = 1.0;
    return c;
}
"""

_SPHERE = """
uniform sampler2D sphere_map; uniform int sphere_mode; uniform vec4 sphere_factor;
vec3 sphered(vec3 c, vec3 n) {
    if (sphere_mode == 0) return c;
    vec2 at = sphere_mode == 3 ? v_uv : vec2(n.x, -n.y) * 0.5 + 0.5;
    vec3 s = texture(sphere_map, at).rgb * sphere_factor.rgb;
    if (sphere_mode == 2) return c + s * sphere_factor.a;
    return c * mix(vec3(1.0), s, sphere_factor.a);
}
"""

# The paper's two lights: white ambient light of 0.5, a white directional one of 0.5 along the view.
PHONG = (
    _HEAD
    + _SPHERE
    + """
void main() {
    vec3 n = facing();
    vec4 c = painted();
    vec3 rgb = min(sphered(c.rgb, n) * (0.5 + 0.5 * max(n.z, 0.0)), 1.0);
    f = vec4(rgb * c.a, c.a);
}
"""
)

MMD = (
    _HEAD
    + _SPHERE
    + """
uniform sampler2D toon_map; uniform float toon_shown; uniform vec3 light; uniform vec4 specular;
uniform vec4 toon_factor;
void main() {
    vec3 n = facing();
    vec4 c = painted();
    vec3 rgb = sphered(c.rgb, n);
    float l = dot(n, light);
    if (toon_shown > 0.5) rgb *= texture(toon_map, vec2(0.5, 0.5 - 0.5 * l)).rgb * toon_factor.rgb;
    if (specular.a > 0.0) {
        vec3 half_way = normalize(light + vec3(0.0, 0.0, 1.0));
        rgb += specular.rgb * pow(max(dot(half_way, n), 0.0), specular.a);
    }
    f = vec4(clamp(rgb, 0.0, 1.0) * c.a, c.a);
}
"""
)

MTOON = (
    _HEAD
    + _SPHERE
    + """
uniform sampler2D shade_map; uniform sampler2D glow_map; uniform vec3 shade; uniform vec2 border; uniform vec3 glow;
uniform vec3 light; uniform vec3 rim; uniform vec2 rim_shape; uniform float unlit;
void main() {
    vec3 n = facing();
    vec4 c = painted();
    vec3 rgb = c.rgb;
    if (unlit < 0.5) {
        float l = dot(n, light) + border.x, soft = max(1.0 - border.y, 1e-3);
        float t = clamp((l + soft) / (2.0 * soft), 0.0, 1.0);
        rgb = mix(texture(shade_map, v_uv).rgb * shade, rgb, t);
        rgb += rim * pow(clamp(1.0 - n.z + rim_shape.y, 0.0, 1.0), max(rim_shape.x, 1e-3));
        rgb = sphered(rgb, n) + glow * texture(glow_map, v_uv).rgb;
    }
    f = vec4(clamp(rgb, 0.0, 1.0) * c.a, c.a);
}
"""
)

EDGE = """
#version 330
in vec3 v_normal; in vec2 v_uv;
out vec4 f;
uniform vec4 line; uniform sampler2D main_map; uniform float cutoff; uniform float opaque;
void main() {
    float a = opaque > 0.5 ? 1.0 : texture(main_map, v_uv).a;
    if (a < max(cutoff, 0.5)) discard;
    f = vec4(line.rgb * line.a, line.a);
}
"""

TRUTH_VERTEX = """
#version 330
in vec3 position; in vec3 normal; in vec3 neutral; in vec3 rest; in vec2 uv; in float label; in float edge;
uniform vec4 view; uniform float expand; uniform vec4 uv_transform;
out vec3 v_neutral; out vec3 v_rest; out vec2 v_uv; flat out float v_label;
void main() {
    v_uv = uv * uv_transform.xy + uv_transform.zw;
    v_label = label;
    vec3 grow = vec3(vec2(normal.x, -normal.y) * expand * edge, 0.0);
    v_neutral = neutral + grow;
    v_rest = rest + grow;
    vec3 p = position + grow - vec3(0.0, 0.0, expand > 0.0 ? 0.4 : 0.0);
    gl_Position = vec4(p.xy * view.xy + view.zw, -p.z / 1000.0, 1.0);
}
"""

TRUTH = """
#version 330
in vec3 v_neutral; in vec3 v_rest; in vec2 v_uv; flat in float v_label;
layout(location = 0) out vec4 f0;
layout(location = 1) out vec4 f1;
uniform sampler2D main_map; uniform float alpha; uniform float opaque; uniform float cutoff;
void main() {
    if (opaque < 0.5 && texture(main_map, v_uv).a * alpha < max(cutoff, 0.5)) discard;
    f0 = vec4(v_neutral, v_label);
    f1 = vec4(v_rest, 1.0);
}
"""
