"""GLSL 3.30 of the character renderer: the vertex shader, outlines, and what tells the truth about a picture.

How surfaces are painted is `paint.py`.
"""

VERTEX = """
#version 330
in vec3 position; in vec3 morph; in vec3 normal; in vec2 weight; in vec3 mask; in vec4 material; in vec4 colour;
in vec2 hang;                  // px of swing with hanging hair, and whether it is of the figure
in vec3 shift; in vec4 look;   // what the other numbers add to a face, and how its irises slide
uniform float shifted;         // 1, or 0 for the face without that
uniform vec4 figure;           // radians of lean and turn about the hips; breath; hair
uniform vec3 hips; uniform vec4 breathing;   // px it rises, half width and rows of what rises
uniform vec2 turning;          // how much of the depth a turn of the body moves, of body and of head
uniform vec3 expression;       // left eye, right eye, mouth
uniform vec3 neck;             // radians about z, x, y
uniform vec3 root; uniform vec3 tip; 
uniform vec3 relief; uniform vec2 axes;   // share of the depth that turn, nod and a back move; z of both axes
uniform vec2 squash;           // share of the foreshortening of outlines, depth from which on it is whole
uniform float expand;          // outline, pixels
uniform vec3 light; uniform float flatten;   // drawn surfaces are nearly flat: normals bent towards the viewer
out vec4 v_material; out vec4 v_colour; out float v_light; out vec2 v_rest;
#ifdef TRUTH
uniform vec3 rest_expression; uniform float still;
out vec3 v_neutral; out vec2 v_first; flat out float v_mouth; out vec2 v_weight;
out vec4 v_iris; out vec2 v_slide;
#endif
// Angles are below 0.3: these series are exact to a millionth, and far cheaper than a software rasteriser's own.
float cosine(float a) { float b = a * a; return 1.0 - b * (0.5 - b * (1.0 / 24.0 - b / 720.0)); }
float sine(float a) { float b = a * a; return a * (1.0 - b * (1.0 / 6.0 - b * (1.0 / 120.0 - b / 5040.0))); }
vec3 bend(vec3 p) {
    vec3 q = p - tip;
    float depth = p.z > 0.0 ? p.z : relief.z * p.z;
    float share = mix(squash.x, 1.0, clamp(p.z / squash.y, 0.0, 1.0));
    float a = neck.z * weight.y, c = cosine(a), s = sine(a);
    float near = q.x * s + relief.y * (depth - axes.y) * c;
    q = vec3(q.x * (1.0 - share * (1.0 - c)) - relief.x * (depth - axes.x) * s, q.y, q.x * s + q.z * c);
    a = neck.y * weight.y; c = cosine(a); s = sine(a);
    q = vec3(q.x, q.y * (1.0 - share * (1.0 - c)) - near * s, q.y * s + q.z * c);
    q += tip - root;
    a = neck.x * weight.x; c = cosine(a); s = sine(a);
    q = vec3(q.x * c + q.y * s, -q.x * s + q.y * c, q.z);
    q += root;
    // hair swings, a chest rises, the figure turns and leans: differences, so that none of it is exactly nothing
    float wide = (p.x - hips.x) / breathing.y;
    q.x -= figure.w * hang.x;
    q.y -= figure.z * hang.y * breathing.x * exp(-wide * wide) * smoothstep(breathing.z, breathing.w, p.y);
    q.x -= sine(figure.y * hang.y) * mix(turning.x, turning.y, weight.x) * q.z;
    a = figure.x * hang.y; c = cosine(a) - 1.0; s = sine(a);
    vec2 from = q.xy - hips.xy;
    q.xy += vec2(from.x * c + from.y * s, -from.x * s + from.y * c);
    return q;
}
// Drawn outlines swell and taper: about 1 on average, fixed to the surface.
float stroke() {
    return expand * (0.95 + 0.45 * sin(position.x * 0.09 + position.y * 0.13) * sin(position.y * 0.05 - 1.1));
}
void main() {
    float k = dot(mask, expression);
#ifdef TRUTH
    vec3 p = position + morph * k + shift * shifted + vec3(normal.xy * stroke(), 0.0);
#else
    vec3 p = position + morph * k + shift * shifted + normal * stroke();
#endif
    v_material = material;
#ifdef EYE
    v_material.xy += material.zw * k;
    v_material.zw = v_material.xy;   // the lids' shadow stays when the iris slides
    v_material.xy += look.xy * shifted;
#endif
    v_colour = colour;
    v_light = dot(normalize(normal + vec3(0.0, 0.0, flatten)), light);
    v_rest = position.xy;
#ifdef TRUTH
    v_neutral = p;
    // an eye's window shrinks over a picture that stays where it is
    v_first = still > 0.5 ? p.xy : position.xy + morph.xy * dot(mask, rest_expression) + normal.xy * stroke();
    v_mouth = mask.z;
    v_weight = weight;
    v_iris = vec4(material.xy + material.zw * k + look.xy * shifted, material.xy + material.zw * k);
    v_slide = look.zw * shifted;
#endif
    vec3 q = bend(p);
    gl_Position = vec4(q.xy / 128.0 - 1.0, -q.z / 400.0, 1.0);
}
"""

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
in vec3 v_neutral; in vec2 v_first; flat in float v_mouth; in vec4 v_iris; in vec2 v_slide;
layout(location = 0) out vec4 f0;
layout(location = 1) out vec4 f1;
uniform float part; uniform float mouth_shown; uniform float size; uniform float check; uniform float still;
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
    vec2 first = v_first;
    ADJUST
    // differences from this pixel: background stays zero
    f0 = vec4(v_neutral.xy * k - gl_FragCoord.xy, v_neutral.z * k, p);
    f1 = vec4(first * k - gl_FragCoord.xy, check > 0.5 ? seen() : 1.0, 1.0);
}
"""
_FAINT = """float e = (1.0 - abs(v_material.x)) * v_material.z;
    if (v_colour.a * clamp(e * 3.2 + 0.1, 0.0, 1.0) < 0.4) discard;"""
# An iris brings its own place along; the white where it was has none.
_EYES = """if (still > 0.5) {
        if (length(v_iris.xy) < 1.0) first += v_slide; else if (length(v_iris.zw) < 1.0) p = 4.0;
    }"""
TRUTH = _TRUTH.replace("DISCARD", "").replace("ADJUST", _EYES)
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
