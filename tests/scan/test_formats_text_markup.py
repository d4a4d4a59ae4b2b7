"""YAML, XML, PMML, SVG, pages, and the keys of configurations."""

import contextlib
import json
import random
from pathlib import Path

import pytest
from drive import rules, scan_bytes

import probatum.controls
from probatum.scan import scan
from probatum.scan.yaml.lines import Unclear
from probatum.scan.yaml.reader import Reader

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">%s</svg>'
PMML = '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/>%s</PMML>'
NET = '<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" type="Add" version="%s"/></layers></net>'
DRAWN = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"'
CASES = [
    ("m.yaml", "a: 1\nb: [x, 'y']\nc:\n  - d: |\n      text: z\n    e: >-\n      more\n", "proved inert", set()),
    (
        "m.yml",
        "%YAML 1.2\n---\na: &x {b: 1}\nc: *x\nd:\n  <<: *x\n...\n---\n- 1\n- - 2\n  - 3\n",
        "proved inert",
        set(),
    ),
    ("m.yaml", "a: !!python/tuple [1, 2]\nb: !!str 3\nc: !!binary aGk=\n", "proved inert", set()),
    ("m.yaml", "a: !!python/object/apply:os.system ['id']\n", "dangerous", {"YML001"}),
    ("m.yaml", "a:\n  - b: {c: !!python/name:os.system }\n", "dangerous", {"YML001"}),
    ("m.yaml", "!!python/object/new:os.system ['id']\n", "dangerous", {"YML001"}),
    ("weights", "x: !<tag:yaml.org,2002:python/object/apply:os.system> ['id']\n", "dangerous", {"YML001"}),
    ("m.yaml", "a: !!javax.script.ScriptEngineManager []\n", "dangerous", {"YML001"}),
    ("m.yaml", "a: !include other.yaml\n", "executes unknown code", {"YML002"}),
    ("m.yaml", "? a\n: !!python/object/apply:os.system ['id']\n", "dangerous", {"YML001", "YML003"}),
    ("m.yaml", "%TAG ! tag:yaml.org,2002:python/\n---\na: 1\n", "not covered", {"YML003"}),
    ("m.yaml", "a: 1\na: 2\n", "not covered", {"YML003"}),
    ("m.yaml", "a: [1, 2\n", "not covered", {"YML003"}),
    ("m.yaml", BOMB, "dangerous", {"YML004"}),
    (
        "model_config.yaml",
        "target: nemo.Model\nencoder:\n  _target_: nemo.modules.E\n",
        "executes unknown code",
        {"CFG001"},
    ),
    ("model_config.yaml", "x: {_target_: builtins.exec, code: y}\n", "dangerous", {"CFG007"}),
    ("x.yaml", "trust_remote_code: false\ntorch_dtype: float16\n", "proved inert", set()),
    ("x.yaml", "trust_remote_code: true\n", "executes unknown code", {"CFG001"}),
    ("MLmodel", "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n", "proved inert", {"CFG006"}),
    ("MLmodel", "flavors:\n  python_function:\n    loader_module: evil.load\n", "executes unknown code", {"CFG001"}),
    ("x.yaml", 'chat_template: "{{ x.__class__ }}"\n', "dangerous", {"TPL001"}),
    ("x.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///x">]><a>&e;</a>', "dangerous", {"XML001"}),
    ("x", '<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "http://x/y.dtd"><a/>', "dangerous", {"XML001"}),
    ("x.svg", f'<?xml version="1.0"?>\n{DRAWN}><svg><path d="M0 0"/></svg>', "proved inert", set()),
    ("x.svg", f'<?xml version="1.0"?>\n{DRAWN} [<!ENTITY e "x">]><svg><path d="M0 0"/></svg>', "dangerous", {"XML001"}),
    ("x.svg", f'<?xml version="1.0"?>\n{DRAWN.replace("www.w3", "w3")}><svg/>', "dangerous", {"XML001"}),
    ("x.pmml", PMML % '<Apply function="+"/>', "proved inert", set()),
    ("x.pmml", PMML % '<Apply function="com.x.F"/>', "executes unknown code", {"XML002"}),
    ("x.pmml", PMML % '<Extension extender="x"/>', "not covered", {"XML003"}),
    ("m.xml", NET % "opset8", "proved inert", set()),
    ("m.xml", NET % "my_extension", "executes unknown code", {"XML002"}),
    ("m.xml", "<beans><bean class='x.Y'/></beans>", "executes unknown code", {"XML002", "XML003"}),
    (
        "m.xml",
        '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"/>',
        "executes unknown code",
        {"XML002", "XML003"},
    ),
    ("m.xml", "<a><b></a>", "not covered", {"XML003"}),
    ("a.svg", SVG % '<g><path d="M0 0"/></g><text x="1">hi</text>', "proved inert", set()),
    ("a.svg", SVG % "<script>x</script>", "executes unknown code", {"XML002"}),
    ("a.svg", SVG % '<g onload="x"/>', "executes unknown code", {"XML002"}),
    ("a.svg", SVG % '<use xlink:href="javascript:x"/>', "executes unknown code", {"XML002"}),
    ("a.svg", SVG % "<animate/>", "not covered", {"XML003"}),
    (
        "a.html",
        '<!DOCTYPE html>\n<html><head><title>t</title></head><body><p class="a">b &lt; c</p></body></html>',
        "proved inert",
        set(),
    ),
    ("a.html", "<html><body><script>x</script></body></html>", "executes unknown code", {"HTM001"}),
    ("index", "<html><img src=x onerror=y></html>", "executes unknown code", {"HTM001"}),
    ("a.html", "<html><a href='java&#115;cript:x'>y</a></html>", "not covered", {"HTM002"}),
    ("a.html", "<html><blink>x</blink></html>", "not covered", {"HTM002"}),
    ("a.html", "<html><p title='a>b'<q</html>", "not covered", {"HTM002"}),
]
CONFIGS = [
    ({"torch_dtype": "float16", "architectures": ["X"], "auto_map": {}, "trust_remote_code": False}, set()),
    ({"auto_map": {"AutoModel": "modeling_x.Model"}}, {"CFG001"}),
    ({"auto_map": {"AutoModel": "other/repo--modeling_x.Model"}}, {"CFG001"}),
    ({"a": [{"b": {"_target_": "torch.nn.Linear"}}]}, {"CFG001"}),
    ({"custom_pipelines": {"x": {"impl": "pipe.P"}}}, {"CFG001"}),
    ({"class_path": "subprocess.run", "init_args": {}}, {"CFG007"}),
    ({"py/object": "x.Y"}, {"CFG001"}),
    ({"target": "ldm.Model", "params": {}}, {"CFG001"}),
    ({"weight_map": {"w": "model-1.safetensors"}}, set()),
    ({"weight_map": {"w": "../x.bin"}}, {"CFG005"}),
    ({"weight_map": {"w": "https://x.y/z.bin"}}, {"CFG005"}),
    ({"_class_name": "P", "_diffusers_version": "0.3", "unet": ["diffusers", "UNet"]}, set()),
    ({"_class_name": "P", "_diffusers_version": "0.3", "unet": ["my_unet", "UNet"]}, {"CFG001"}),
    ([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}], set()),
    ([{"idx": 0, "name": "0", "path": "", "type": "custom_x.Model"}], {"CFG001"}),
    ({"auto_mapping": {"base_model_class": "X", "parent_library": "evil.lib"}}, {"CFG001"}),
    ({"model": {"handler": "image_classifier", "serializedFile": "m.pt"}}, set()),
    ({"model": {"handler": "handler.py"}}, {"CFG004"}),
    ({"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode"}, set()),
    ({"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}, set()),
    ({"__class__": "LogisticRegression", "__module__": "sklearn.linear_model", "__loader__": "ObjectNode"}, {"SKO002"}),
    ({"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}, {"SKO001"}),
    ({"__class__": "call", "__module__": "numpy", "__loader__": "MethodNode"}, {"SKO002"}),
]


@pytest.mark.parametrize(("name", "content", "verdict", "wanted"), CASES)
def test_markup(name, content, verdict, wanted):
    result = scan_bytes(content.encode(), name)
    assert (result.verdict, rules(result)) == (verdict, wanted), [f.message for f in result.findings]


@pytest.mark.parametrize(("value", "wanted"), CONFIGS)
def test_keys(value, wanted):
    for name, text in (
        ("x.json", json.dumps(value)),
        ("x.json", json.dumps(value, indent=2)),
        ("x.yaml", json.dumps(value)),
    ):
        assert rules(scan_bytes(text.encode(), name)) == wanted


def test_a_template_in_an_unknown_shape_is_not_covered():
    for shape in (3, [{"x": 1}], ["a"], {"default": 1}, True):
        assert rules(scan_bytes(json.dumps({"chat_template": shape}).encode(), "x.json")) == {"CFG002"}


def test_names_are_shown_and_escaped():
    hostile = {"auto_map": {"A": "mod\x1b[2J\u202e.Model"}, "chat_template": "{{ f\x1b }}"}
    for f in scan_bytes(json.dumps(hostile).encode(), "x.json").findings:
        assert f.message.isprintable()
    for name, text in (
        ("x.yaml", '_target_: "a\\e[2J.b"\n'),
        ("x.xml", "<a\u202eb/>"),
        ("x.py", "import os\nos.system('\x1b\u202e')\n"),
    ):
        result = scan_bytes(text.encode(), name)
        assert result.verdict != "proved inert"
        assert all(f.message.isprintable() for f in result.findings)


def scalar(rng):
    return rng.choice(
        [
            "a",
            "b c",
            "x: y",
            "# no",
            "- z",
            "it's",
            '"q"',
            "1",
            "",
            "~",
            "two\nlines\n",
            "t\tx",
            "\xe9",
            "a#b",
            "a:b",
            "[x",
            "{y",
            "*s",
            "&t",
            "!u",
            "  lead",
            "end ",
            "100%",
            "@x",
            "long " * 30,
            "? q",
            "|",
            ">",
        ]
    )


def value(rng, depth):
    if depth <= 0 or rng.random() < 0.4:
        return scalar(rng)
    if rng.random() < 0.5:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {
        rng.choice(["a", "key d", "e-f", '"k"', "it's", "a:b", "#h", "- m"]) + str(n): value(rng, depth - 1)
        for n in range(3)
    }


def test_yaml_is_read_as_pyyaml_reads_it():
    yaml = pytest.importorskip("yaml")
    rng, count = random.Random(5), 600
    squeeze = lambda v: "".join(json.dumps(v).replace("\\n", "").replace("null", '""').split())  # noqa: E731
    for _ in range(count):
        text = yaml.dump(
            value(rng, 4),
            default_flow_style=rng.choice([None, True, False]),
            width=rng.choice([20, 1000]),
            indent=rng.choice([2, 4]),
            default_style=rng.choice([None, None, '"', "'", "|"]),
        )
        reader = Reader(text)
        reader.read()
        assert squeeze(reader.documents) == squeeze(list(yaml.load_all(text, Loader=yaml.BaseLoader))), text


def test_mutations_and_truncations_never_crash():
    rng = random.Random(6)
    cases = [(n, c) for n, c, _, _ in CASES] + [("x.json", json.dumps(v)) for v, _ in CONFIGS]
    for name, content in cases * 20:
        changed = bytearray(content[:3000].encode())
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.choice([rng.randrange(256), *b"[]{}:-'\"!&*#<>|\n\t \0"])
        scan_bytes(bytes(changed[: rng.choice([len(changed), rng.randrange(len(changed))])]), name)
    for _ in range(1500):
        text = "".join(
            rng.choice(
                [
                    "a",
                    ":",
                    " ",
                    "\n",
                    "-",
                    "[",
                    "]",
                    "{",
                    "}",
                    "&a ",
                    "*a",
                    "!t ",
                    "'",
                    '"',
                    "|",
                    "#",
                    ",",
                    "?",
                    "\t",
                    "---",
                ]
            )
            for _ in range(rng.randrange(40))
        )
        with contextlib.suppress(Unclear):
            Reader(text).read()
        scan_bytes(text.encode(), "x.yaml")


@pytest.mark.parametrize(
    "unit",
    [
        "- ",
        "a:\n ",
        "[",
        "{a: ",
        "a: b\n",
        "'",
        " ",
        "\n",
        "&a ",
        "!x ",
        "k" * 2000 + "\n",
        "- a: 1\n",
        "<a>",
        "<",
        "#\n",
        "| \n",
    ],
)
def test_repetitions_end(unit):
    import time

    start = time.process_time()
    for name in ("x.yaml", "x.xml", "x.html", "x.json", "x.sh", "x.toml", "requirements.txt"):
        scan_bytes((unit * (200_000 // len(unit))).encode(), name)
    assert time.process_time() - start < 20


def test_the_models_that_ship_with_probatum_are_inert():
    folder = Path(probatum.controls.__file__).parent
    result = scan([folder / "models"])
    assert len(result.files) > 20
    assert [(f.path, f.findings) for f in result.files if f.verdict != "proved inert"] == []
